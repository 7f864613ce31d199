//! The letters themselves, in the languages of the dashboard. Plain text: nothing to load, nothing to
//! hide a link behind.
//!
//! Subjects hold no text that a person chose. Names of accounts are quoted in the body as they are
//! read, but so that no mail program makes a link of one: whoever can invite could otherwise have us
//! carry their advertising.
//!
//! To add a letter: a function here, its texts for all three languages beside each other, and a line in
//! the test that renders all.

use recado_model::{Language, Role, is_unseen};

use super::Letter;

/// Characters of an account's name that a letter shows.
const NAME_MAX: usize = 80;
const MINUTE_MS: i64 = 60_000;

/// An invitation: by whom, for whom, to which account.
pub struct Invite<'a> {
    pub to: &'a str,
    /// The account's name, as it is kept.
    pub account: &'a str,
    /// The inviter's e-mail; the command line has none.
    pub inviter: Option<&'a str>,
    pub role: Role,
    pub link: &'a str,
    /// How long the link holds.
    pub lasts_ms: i64,
}

/// To join an account.
pub fn invite(language: Language, invite: &Invite<'_>) -> Letter {
    let account = name(invite.account);
    let role = role(language, invite.role);
    let (link, lasts) = (invite.link, lasts(language, invite.lasts_ms));
    let inviter = invite.inviter.map(plain);
    let (subject, text) = match language {
        Language::English => (
            "You are invited to Recado",
            format!(
                "Hello,\n\n{} “{account}” on Recado as {role}.\n\nTo accept, open this link. It holds for {lasts} and can be used once:\n\n{link}\n\nIf you did not expect this, do nothing.\n",
                inviter.map_or("you are invited to join".to_owned(), |who| format!(
                    "{who} invites you to join"
                )),
            ),
        ),
        Language::Portuguese => (
            "Convite para o Recado",
            format!(
                "Olá,\n\n{} “{account}” no Recado como {role}.\n\nPara aceitar, abra este link. Ele vale por {lasts} e só pode ser usado uma vez:\n\n{link}\n\nSe você não esperava este convite, não faça nada.\n",
                inviter.map_or(
                    "você foi convidado a participar de".to_owned(),
                    |who| format!("{who} convida você a participar de")
                ),
            ),
        ),
        Language::Spanish => (
            "Invitación a Recado",
            format!(
                "Hola:\n\n{} «{account}» en Recado como {role}.\n\nPara aceptar, abre este enlace. Es válido durante {lasts} y solo se puede usar una vez:\n\n{link}\n\nSi no esperabas esta invitación, no hagas nada.\n",
                inviter.map_or("te invitan a participar en".to_owned(), |who| format!(
                    "{who} te invita a participar en"
                )),
            ),
        ),
    };
    letter("invite", invite.to, subject, text)
}

/// To make an account of one's own, because somebody asked for it with this address.
pub fn signup(language: Language, to: &str, link: &str, lasts_ms: i64) -> Letter {
    let lasts = lasts(language, lasts_ms);
    let (subject, text) = match language {
        Language::English => (
            "Finish signing up to Recado",
            format!(
                "Hello,\n\nsomebody, most likely you, wants to sign up to Recado with this address.\n\nTo go on, open this link. It holds for {lasts} and can be used once:\n\n{link}\n\nIf it was not you, do nothing: no account is made.\n"
            ),
        ),
        Language::Portuguese => (
            "Conclua seu cadastro no Recado",
            format!(
                "Olá,\n\nalguém, provavelmente você, quer se cadastrar no Recado com este endereço.\n\nPara continuar, abra este link. Ele vale por {lasts} e só pode ser usado uma vez:\n\n{link}\n\nSe não foi você, não faça nada: nenhuma conta será criada.\n"
            ),
        ),
        Language::Spanish => (
            "Completa tu registro en Recado",
            format!(
                "Hola:\n\nalguien, probablemente tú, quiere registrarse en Recado con esta dirección.\n\nPara continuar, abre este enlace. Es válido durante {lasts} y solo se puede usar una vez:\n\n{link}\n\nSi no fuiste tú, no hagas nada: no se creará ninguna cuenta.\n"
            ),
        ),
    };
    letter("signup", to, subject, text)
}

/// The same, because the operator offers it.
pub fn signup_invited(language: Language, to: &str, link: &str, lasts_ms: i64) -> Letter {
    let lasts = lasts(language, lasts_ms);
    let (subject, text) = match language {
        Language::English => (
            "You are invited to Recado",
            format!(
                "Hello,\n\nyou are invited to make an account of your own on Recado.\n\nTo do so, open this link. It holds for {lasts} and can be used once:\n\n{link}\n\nIf you did not expect this, do nothing.\n"
            ),
        ),
        Language::Portuguese => (
            "Convite para o Recado",
            format!(
                "Olá,\n\nvocê foi convidado a criar sua própria conta no Recado.\n\nPara isso, abra este link. Ele vale por {lasts} e só pode ser usado uma vez:\n\n{link}\n\nSe você não esperava este convite, não faça nada.\n"
            ),
        ),
        Language::Spanish => (
            "Invitación a Recado",
            format!(
                "Hola:\n\nte invitan a crear tu propia cuenta en Recado.\n\nPara hacerlo, abre este enlace. Es válido durante {lasts} y solo se puede usar una vez:\n\n{link}\n\nSi no esperabas esta invitación, no hagas nada.\n"
            ),
        ),
    };
    letter("signup_invited", to, subject, text)
}

/// Somebody wants to sign up with the address of a user. `dashboard` is where one signs in.
pub fn signup_known(language: Language, to: &str, dashboard: &str) -> Letter {
    let (subject, text) = match language {
        Language::English => (
            "You already have a login at Recado",
            format!(
                "Hello,\n\nsomebody, most likely you, wants to sign up to Recado with this address. It has a login already: sign in, or choose a new password with “Forgot your password?”:\n\n{dashboard}\n\nIf it was not you, do nothing: nothing has changed.\n"
            ),
        ),
        Language::Portuguese => (
            "Você já tem acesso ao Recado",
            format!(
                "Olá,\n\nalguém, provavelmente você, quer se cadastrar no Recado com este endereço. Ele já tem acesso: entre, ou escolha uma nova senha em “Esqueceu a senha?”:\n\n{dashboard}\n\nSe não foi você, não faça nada: nada mudou.\n"
            ),
        ),
        Language::Spanish => (
            "Ya tienes acceso a Recado",
            format!(
                "Hola:\n\nalguien, probablemente tú, quiere registrarse en Recado con esta dirección. Ya tiene acceso: entra, o elige una contraseña nueva en «¿Olvidaste tu contraseña?»:\n\n{dashboard}\n\nSi no fuiste tú, no hagas nada: nada ha cambiado.\n"
            ),
        ),
    };
    letter("signup_known", to, subject, text)
}

/// To choose a new password.
pub fn reset(language: Language, to: &str, link: &str, lasts_ms: i64) -> Letter {
    let lasts = lasts(language, lasts_ms);
    let (subject, text) = match language {
        Language::English => (
            "Choose a new password for Recado",
            format!(
                "Hello,\n\nsomebody, most likely you, has forgotten the password of this address at Recado.\n\nTo choose a new one, open this link. It holds for {lasts} and can be used once:\n\n{link}\n\nIf it was not you, do nothing: your password stays as it is.\n"
            ),
        ),
        Language::Portuguese => (
            "Escolha uma nova senha para o Recado",
            format!(
                "Olá,\n\nalguém, provavelmente você, esqueceu a senha deste endereço no Recado.\n\nPara escolher uma nova, abra este link. Ele vale por {lasts} e só pode ser usado uma vez:\n\n{link}\n\nSe não foi você, não faça nada: sua senha continua a mesma.\n"
            ),
        ),
        Language::Spanish => (
            "Elige una contraseña nueva para Recado",
            format!(
                "Hola:\n\nalguien, probablemente tú, ha olvidado la contraseña de esta dirección en Recado.\n\nPara elegir una nueva, abre este enlace. Es válido durante {lasts} y solo se puede usar una vez:\n\n{link}\n\nSi no fuiste tú, no hagas nada: tu contraseña sigue igual.\n"
            ),
        ),
    };
    letter("reset", to, subject, text)
}

/// To the new address, to prove that it is one's own.
pub fn email(language: Language, to: &str, link: &str, lasts_ms: i64) -> Letter {
    let lasts = lasts(language, lasts_ms);
    let (subject, text) = match language {
        Language::English => (
            "Confirm your new e-mail address for Recado",
            format!(
                "Hello,\n\nsomebody, most likely you, wants to sign in to Recado with this address from now on.\n\nTo confirm it, open this link. It holds for {lasts} and can be used once:\n\n{link}\n\nIf it was not you, do nothing: nothing changes.\n"
            ),
        ),
        Language::Portuguese => (
            "Confirme seu novo e-mail no Recado",
            format!(
                "Olá,\n\nalguém, provavelmente você, quer passar a entrar no Recado com este endereço.\n\nPara confirmar, abra este link. Ele vale por {lasts} e só pode ser usado uma vez:\n\n{link}\n\nSe não foi você, não faça nada: nada muda.\n"
            ),
        ),
        Language::Spanish => (
            "Confirma tu nuevo correo en Recado",
            format!(
                "Hola:\n\nalguien, probablemente tú, quiere entrar en Recado con esta dirección a partir de ahora.\n\nPara confirmarla, abre este enlace. Es válido durante {lasts} y solo se puede usar una vez:\n\n{link}\n\nSi no fuiste tú, no hagas nada: nada cambia.\n"
            ),
        ),
    };
    letter("email", to, subject, text)
}

fn letter(kind: &'static str, to: &str, subject: &str, text: String) -> Letter {
    Letter {
        kind,
        to: to.to_owned(),
        subject: subject.to_owned(),
        text,
    }
}

fn role(language: Language, role: Role) -> &'static str {
    match (language, role) {
        (Language::English, Role::Owner) => "owner",
        (Language::English, Role::Admin) => "administrator",
        (Language::English, Role::Developer) => "developer",
        (Language::English, Role::Viewer) => "viewer",
        (Language::Portuguese, Role::Owner) => "proprietário",
        (Language::Portuguese, Role::Admin) => "administrador",
        (Language::Portuguese, Role::Developer) => "desenvolvedor",
        (Language::Portuguese, Role::Viewer) => "leitor",
        (Language::Spanish, Role::Owner) => "propietario",
        (Language::Spanish, Role::Admin) => "administrador",
        (Language::Spanish, Role::Developer) => "desarrollador",
        (Language::Spanish, Role::Viewer) => "lector",
    }
}

/// In whole hours from two on, else in minutes, of which there are never one.
fn lasts(language: Language, ms: i64) -> String {
    let minutes = (ms / MINUTE_MS).max(2);
    if minutes >= 120 && minutes % 60 == 0 {
        let hours = minutes / 60;
        return match language {
            Language::English => format!("{hours} hours"),
            Language::Portuguese | Language::Spanish => format!("{hours} horas"),
        };
    }
    match language {
        Language::English => format!("{minutes} minutes"),
        Language::Portuguese | Language::Spanish => format!("{minutes} minutos"),
    }
}

/// A name on one line, of bounded length, in which no mail program finds an address.
fn name(text: &str) -> String {
    let plain = plain(text);
    let mut short: String = plain.chars().take(NAME_MAX).collect();
    if short.len() < plain.len() {
        short.push('…');
    }
    let around = |at: usize, c: char| {
        let before = short[..at].chars().next_back();
        let after = short[at + c.len_utf8()..].chars().next();
        before.is_some_and(char::is_alphanumeric) && after.is_some_and(char::is_alphanumeric)
    };
    let seen = short.char_indices().map(|(at, c)| match c {
        // Looks like a full stop, and joins no domain name.
        '.' if around(at, c) => '\u{2024}',
        '@' => '＠',
        c => c,
    });
    let unlinked: String = seen.collect();
    unlinked.replace("://", ": //")
}

/// Without what breaks lines or turns the direction of writing.
fn plain(text: &str) -> String {
    let spaced: String = text
        .chars()
        .map(|c| match is_unseen(c) || is_mark(c) {
            true => ' ',
            false => c,
        })
        .collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Turns the direction of writing too, though weaker than what [`is_unseen`] knows.
fn is_mark(c: char) -> bool {
    matches!(
        c,
        '\u{061c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{feff}'
    )
}

mod notices;
pub use notices::*;

#[cfg(test)]
mod tests;
