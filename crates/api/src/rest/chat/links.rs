//! Texts with a preview of a page, and things to choose from.

use axum::extract::State;
use recado_api_macros::operation;
use recado_app::{App, SendMessage, SendOptions};
use recado_model::{
    Content, Error, Interactive, Result,
    content::{Heading, Link, Menu, Row, Section},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Queued, accept, given, send};
use crate::{
    auth::{InstanceAccess, least::Developer},
    describe::Answer,
    error::Fail,
    extract::{Loose, Names, bytes_of, data_url, some_whole, text_or_number},
    rest::{Envelope, enveloped},
};

/// What 64 KiB are as base64, and room for line breaks and the head of a data URL.
const PICTURE_TEXT_MOST: usize = 100_000;

send_body!(LinkBody {
    /// What is said; the link is put at its end where it is not in it.
    #[serde(default)]
    #[schemars(length(min = 1, max = 65_536))]
    message: String,
    #[serde(default, alias = "linkUrl", alias = "link")]
    #[schemars(length(min = 1, max = 2_048))]
    link_url: String,
    #[serde(default)]
    #[schemars(length(max = 300))]
    title: Option<String>,
    #[serde(default, alias = "linkDescription", alias = "description")]
    #[schemars(length(max = 1_000))]
    link_description: Option<String>,
    /// A small JPEG as base64 or a data URL: 64 KiB, and 1024 pixels on each side.
    #[serde(default, alias = "jpegThumbnail")]
    jpeg_thumbnail: Option<String>,
});

/// Queues a text with a preview of the page that it links to.
///
/// The preview is what you give: nothing is fetched from the page.
#[operation]
pub async fn send_link(
    access: InstanceAccess<Developer>,
    State(app): State<App>,
    Loose(mut body): Loose<LinkBody>,
) -> Result<Answer<Envelope<Queued>>, Fail> {
    let picture = given(body.jpeg_thumbnail.take());
    let picture = picture.map(|text| picture_of(&text)).transpose()?;
    let link = Link::new(
        std::mem::take(&mut body.message),
        &body.link_url,
        body.title.take(),
        body.link_description.take(),
        picture,
    )?;
    accept(&access, &app, send(body.address(), Content::Link(link))).await
}

/// Of base64, or of a data URL.
pub(super) fn picture_of(text: &str) -> Result<Vec<u8>> {
    let wrong = |text| Error::field("jpeg_thumbnail", text);
    if text.len() > PICTURE_TEXT_MOST {
        return Err(wrong("jpeg_thumbnail has at most 64 KiB"));
    }
    if let Some((kind, _)) = data_url(text)
        && !matches!(kind, "image/jpeg" | "image/jpg")
    {
        return Err(wrong(
            "jpeg_thumbnail: the data URL begins with data:image/jpeg;base64,",
        ));
    }
    bytes_of("jpeg_thumbnail", text)
}

#[derive(Deserialize, JsonSchema)]
pub struct ButtonBody {
    /// What comes back with an answer; its number where it is left out.
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    #[schemars(length(min = 1, max = 256))]
    text: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
pub struct SectionBody {
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    rows: Option<Vec<RowBody>>,
}

#[derive(Deserialize, JsonSchema)]
pub struct RowBody {
    /// What comes back with an answer; its number where it is left out.
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    #[schemars(length(min = 1, max = 256))]
    title: Option<String>,
    #[serde(default)]
    description: Option<String>,
}

send_body!(ButtonsBody {
    #[serde(default)]
    #[schemars(length(min = 1, max = 65_536))]
    message: String,
    /// 1 to 20.
    #[serde(default)]
    #[schemars(length(min = 1, max = 20))]
    buttons: Vec<ButtonBody>,
    #[serde(default)]
    footer: Option<String>,
    /// `text`, a numbered text; `native`, WhatsApp's own form, which some phones do not show; `refuse`, nothing: the
    /// call is refused. The instance's own setting where it is left out.
    #[serde(default)]
    #[schemars(extend("enum" = ["text", "native", "refuse"]))]
    interactive: Option<String>,
});

send_body!(ListBody {
    #[serde(default)]
    #[schemars(length(min = 1, max = 256))]
    title: String,
    #[serde(default)]
    #[schemars(length(min = 1))]
    description: String,
    #[serde(default, alias = "buttonText")]
    #[schemars(length(min = 1, max = 256))]
    button_text: String,
    /// With 1 to 100 rows in all.
    #[serde(default)]
    #[schemars(length(min = 1, max = 100))]
    sections: Vec<SectionBody>,
    #[serde(default)]
    footer: Option<String>,
    /// `text`, a numbered text; `native`, WhatsApp's own form, which some phones do not show; `refuse`, nothing: the
    /// call is refused. The instance's own setting where it is left out.
    #[serde(default)]
    #[schemars(extend("enum" = ["text", "native", "refuse"]))]
    interactive: Option<String>,
});

/// A menu that was queued, and what it was made of.
#[derive(Serialize, JsonSchema)]
pub struct Offered {
    #[serde(flatten)]
    queued: Queued,
    /// `text`, a numbered text; `native`, WhatsApp's own form.
    #[schemars(extend("enum" = ["text", "native"]))]
    interactive: &'static str,
}

/// Queues something to choose from with a few buttons.
///
/// WhatsApp no longer shows the buttons of linked devices reliably: a numbered text goes out where `native` is not
/// asked for. A tap, or an answer with a number, comes back as the choice: `choice` of its event.
#[operation]
pub async fn send_buttons(
    access: InstanceAccess<Developer>,
    State(app): State<App>,
    Loose(mut body): Loose<ButtonsBody>,
) -> Result<Answer<Envelope<Offered>>, Fail> {
    let buttons = std::mem::take(&mut body.buttons).into_iter();
    let buttons = buttons.map(|button| {
        let (id, text) = (button.id, button.text);
        (id.unwrap_or_default(), text.unwrap_or_default())
    });
    let menu = Menu::of_buttons(&body.message, buttons.collect(), body.footer.as_deref())?;
    let (menu, form) = formed(&access, menu, body.interactive.as_deref())?;
    let menu = send(body.address(), Content::Menu(menu));
    offer(&access, &app, menu, form).await
}

/// Queues a list to choose from.
///
/// WhatsApp no longer shows the lists of linked devices reliably: a numbered text goes out where `native` is not
/// asked for. A tap, or an answer with a number, comes back as the choice: `choice` of its event.
#[operation]
pub async fn send_list(
    access: InstanceAccess<Developer>,
    State(app): State<App>,
    Loose(mut body): Loose<ListBody>,
) -> Result<Answer<Envelope<Offered>>, Fail> {
    let sections = std::mem::take(&mut body.sections).into_iter();
    let sections = sections.map(|section| Section {
        title: section.title,
        rows: section
            .rows
            .unwrap_or_default()
            .into_iter()
            .map(|row| Row {
                id: row.id.unwrap_or_default(),
                title: row.title.unwrap_or_default(),
                description: row.description,
            })
            .collect(),
    });
    let heading = Heading {
        title: std::mem::take(&mut body.title),
        description: std::mem::take(&mut body.description),
        button_text: std::mem::take(&mut body.button_text),
        footer: body.footer.take(),
    };
    let menu = Menu::of_list(&heading, sections.collect())?;
    let (menu, form) = formed(&access, menu, body.interactive.as_deref())?;
    let menu = send(body.address(), Content::Menu(menu));
    offer(&access, &app, menu, form).await
}

/// In the form that is wanted; the call's word counts before the instance's.
fn formed(
    access: &InstanceAccess<Developer>,
    menu: Menu,
    interactive: Option<&str>,
) -> Result<(Menu, Interactive)> {
    let given = interactive.filter(|text| !text.trim().is_empty());
    let wanted = match given {
        Some(text) => Interactive::parse(text)?,
        None => access.granted.instance().settings.interactive,
    };
    match wanted {
        Interactive::Text => Ok((menu.as_text(), wanted)),
        Interactive::Native => Ok((menu, wanted)),
        Interactive::Refuse => Err(Error::field(
            "interactive",
            "interactive: WhatsApp does not show this reliably from a linked device, and you wanted nothing else. A numbered text is \"text\", its own form \"native\"",
        )),
    }
}

async fn offer(
    access: &InstanceAccess<Developer>,
    app: &App,
    send: SendMessage,
    form: Interactive,
) -> Result<Answer<Envelope<Offered>>, Fail> {
    let messages = app.messages();
    let accepted = messages.send(&access.granted, send);
    Ok(enveloped(Offered {
        queued: accepted.await?.into(),
        interactive: form.as_str(),
    }))
}
