//! The pairing QR: each surface has its own JSON; the picture in its place is the same everywhere.

use axum::response::{IntoResponse, Response};
use http::header;
use recado_app::QrAnswer;
use recado_model::{Error, ErrorCode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    describe::{Answer, Answers, Described},
    error::Fail,
    qr::Format,
};

#[derive(Deserialize, JsonSchema)]
pub struct QrQuery {
    /// `png`, `svg`, `text` or `terminal`: the thing itself in place of JSON.
    #[serde(default)]
    format: Option<String>,
}

impl QrQuery {
    pub(crate) fn format(&self) -> Result<Option<Format>, Error> {
        self.format.as_deref().map(Format::parse).transpose()
    }
}

/// JSON, or the QR itself where the query asks for a format.
pub enum QrAnswered<T> {
    Json(Answer<T>),
    Picture(Response),
}

impl<T> QrAnswered<T> {
    /// `json` is the surface's own shape, where no format is asked for.
    pub(crate) fn of(
        answer: QrAnswer,
        format: Option<Format>,
        json: impl FnOnce(QrAnswer) -> Result<Answer<T>, Fail>,
    ) -> Result<Self, Fail> {
        match (answer, format) {
            (answer, None) => Ok(Self::Json(json(answer)?)),
            (QrAnswer::Waiting { code, .. }, Some(format)) => {
                Ok(Self::Picture(picture(format, &code)?))
            }
            (QrAnswer::Paired { .. }, Some(_)) => Err(already_connected().into()),
        }
    }
}

impl<T: JsonSchema> Answers for QrAnswered<T> {
    fn describe(into: &mut Described) {
        <Answer<T> as Answers>::describe(into);
        into.pictures = [Format::Png, Format::Svg, Format::Text]
            .map(Format::content_type)
            .to_vec();
    }
}

impl<T: Serialize> IntoResponse for QrAnswered<T> {
    fn into_response(self) -> Response {
        match self {
            Self::Json(answer) => answer.into_response(),
            Self::Picture(response) => response,
        }
    }
}

/// The QR in the form that was asked for.
fn picture(format: Format, code: &str) -> Result<Response, Error> {
    let bytes = format.draw(code)?;
    Ok(([(header::CONTENT_TYPE, format.content_type())], bytes).into_response())
}

fn already_connected() -> Error {
    Error::new(
        ErrorCode::AlreadyConnected,
        "This instance is paired already, so there is no QR to show. Ask without format for its state.",
    )
}
