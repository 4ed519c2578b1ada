use axum::extract::FromRequestParts;
use axum::http::header::LOCATION;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::IntoParams;
use wallet_core::service::Answer;
use wallet_core::{Command, IdempotencyKey, Request, WalletError};

use super::Params;
use crate::idempotency::{self, mark_replayed};
use crate::output::ItemResult;
use crate::problem::Problem;
use crate::{App, reply};

/// The header that every change requires.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Header)]
#[allow(dead_code, reason = "it documents; `idempotency` reads it")]
pub(crate) struct KeyHeader {
    /// 1 to 255 printable ASCII characters, bare or quoted. The key itself neither begins
    /// nor ends with a quote or a blank. A repetition of the request under its key gets
    /// the first answer again.
    #[param(rename = "Idempotency-Key")]
    #[param(
        pattern = r#"^([!#-~]([ -~]{0,253}[!#-~])?|"([!#-\[\]-~]|\\\\)(([ !#-\[\]-~]|\\["\\]){0,253}([!#-\[\]-~]|\\\\))?")$"#
    )]
    key: String,
}

/// The parameters of a dry run.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct DryRun {
    /// Dry run: answers what the request would answer now, with status 200 if it would be
    /// accepted. It does and records nothing. Its ids are not those of a later request.
    dry_run: Option<bool>,
}

/// The parts of a request for a change.
#[derive(Debug)]
pub(crate) struct Write {
    pub(crate) key: IdempotencyKey,
    pub(crate) is_dry_run: bool,
}

impl FromRequestParts<App> for Write {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let Params(DryRun { dry_run }) = Params::from_request_parts(parts, app).await?;
        Ok(Self {
            key: idempotency::key(app, &parts.headers)?,
            is_dry_run: dry_run.unwrap_or(false),
        })
    }
}

impl Write {
    /// Carries out one command. The answer is built from the recorded outcome, so that a
    /// replay is identical to the byte.
    pub(crate) async fn one(self, app: &App, command: Command) -> Result<Response, Problem> {
        let is_dry_run = self.is_dry_run;
        let request = Request::new(self.key.clone(), command);
        let answer = self.submit(app, request).await?;
        let mut response = match ItemResult::of_receipts(app, &answer.outcome).await? {
            Ok(results) => {
                let result = results.into_iter().next().ok_or_else(Problem::internal)?;
                let status = if is_dry_run { 200 } else { result.status };
                let mut response = reply::json(status, &result.body);
                if status == 201
                    && let Some(place) = result.body.location()
                {
                    response.headers_mut().insert(LOCATION, place);
                }
                response
            }
            Err(problem) => problem.into_response(),
        };
        mark_replayed(&mut response, answer.replayed);
        Ok(response)
    }

    /// Submits a request, or evaluates it as a dry run.
    pub(crate) async fn submit(&self, app: &App, request: Request) -> Result<Answer, WalletError> {
        if self.is_dry_run {
            app.wallet().dry_run(request).await
        } else {
            app.wallet().submit_raw(request).await
        }
    }
}
