//! Letters that tell what has happened, so that whoever did not do it can act. They hold no link that
//! proves anything: `dashboard` is where one signs in.

use recado_model::Language;

use super::{Letter, letter};

/// A change of a second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecondFactor {
    On,
    Off,
    /// New recovery codes; the old ones are void.
    RecoveryCodes,
}

/// To the old address, while the new one is not confirmed yet.
pub fn email_change_asked(language: Language, to: &str, dashboard: &str) -> Letter {
    let what = match language {
        Language::English => {
            "somebody who knows your password asked to replace this address by another. This happens as soon as the other is confirmed"
        }
        Language::Portuguese => {
            "alguém que sabe sua senha pediu para trocar este endereço por outro. A troca acontece assim que o outro for confirmado"
        }
        Language::Spanish => {
            "alguien que conoce tu contraseña pidió cambiar esta dirección por otra. El cambio se hace en cuanto se confirme la otra"
        }
    };
    notice("email_change_asked", language, to, what, dashboard)
}

/// To the old address.
pub fn email_changed(language: Language, to: &str, dashboard: &str) -> Letter {
    let what = match language {
        Language::English => {
            "your login has another e-mail address now. This one no longer opens it"
        }
        Language::Portuguese => {
            "seu acesso agora usa outro e-mail. Este endereço não serve mais para entrar"
        }
        Language::Spanish => {
            "tu acceso usa ahora otro correo. Esta dirección ya no sirve para entrar"
        }
    };
    notice("email_changed", language, to, what, dashboard)
}

pub fn password_changed(language: Language, to: &str, dashboard: &str) -> Letter {
    let what = match language {
        Language::English => {
            "your password was changed. Wherever else you were signed in, you no longer are"
        }
        Language::Portuguese => "sua senha foi alterada. Todas as outras sessões foram encerradas",
        Language::Spanish => "se cambió tu contraseña. Todas las demás sesiones se han cerrado",
    };
    notice("password_changed", language, to, what, dashboard)
}

pub fn second_factor_changed(
    language: Language,
    to: &str,
    change: SecondFactor,
    dashboard: &str,
) -> Letter {
    use Language::{English, Portuguese, Spanish};
    let what = match (language, change) {
        (English, SecondFactor::On) => {
            "a second factor was turned on. Signing in asks for its code from now on"
        }
        (English, SecondFactor::Off) => {
            "your second factor was turned off. Signing in asks for the password alone"
        }
        (English, SecondFactor::RecoveryCodes) => {
            "new recovery codes were made. The old ones no longer work"
        }
        (Portuguese, SecondFactor::On) => {
            "um segundo fator foi ativado. A partir de agora, o código dele é pedido para entrar"
        }
        (Portuguese, SecondFactor::Off) => {
            "seu segundo fator foi desativado. Para entrar, basta a senha"
        }
        (Portuguese, SecondFactor::RecoveryCodes) => {
            "novos códigos de recuperação foram criados. Os antigos não funcionam mais"
        }
        (Spanish, SecondFactor::On) => {
            "se activó un segundo factor. A partir de ahora se pide su código para entrar"
        }
        (Spanish, SecondFactor::Off) => {
            "se desactivó tu segundo factor. Para entrar basta la contraseña"
        }
        (Spanish, SecondFactor::RecoveryCodes) => {
            "se crearon códigos de recuperación nuevos. Los anteriores ya no sirven"
        }
    };
    notice("second_factor_changed", language, to, what, dashboard)
}

fn notice(kind: &'static str, language: Language, to: &str, what: &str, dashboard: &str) -> Letter {
    let (subject, text) = match language {
        Language::English => (
            "Your login at Recado has changed",
            format!(
                "Hello,\n\nat Recado, {what}.\n\nIf it was you, there is nothing to do. If not, choose a new password at once with “Forgot your password?”, and tell whoever runs this Recado:\n\n{dashboard}\n"
            ),
        ),
        Language::Portuguese => (
            "Seu acesso ao Recado mudou",
            format!(
                "Olá,\n\nno Recado, {what}.\n\nSe foi você, não é preciso fazer nada. Se não foi, escolha já uma nova senha em “Esqueceu a senha?” e avise quem administra este Recado:\n\n{dashboard}\n"
            ),
        ),
        Language::Spanish => (
            "Tu acceso a Recado ha cambiado",
            format!(
                "Hola:\n\nen Recado, {what}.\n\nSi fuiste tú, no hay nada que hacer. Si no, elige ya una contraseña nueva en «¿Olvidaste tu contraseña?» y avisa a quien administra este Recado:\n\n{dashboard}\n"
            ),
        ),
    };
    letter(kind, to, subject, text)
}
