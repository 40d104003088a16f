//! What can be asked.

use std::path::Path;

use axum::Router;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};

use crate::answer::Problem;
use crate::assets;

/// All routes of a run's page.
pub(crate) fn routes(_folder: &Path) -> Router {
    Router::new().fallback(asset)
}

async fn asset(uri: Uri) -> Response {
    assets::at(uri.path())
        .unwrap_or_else(|| Problem::new(StatusCode::NOT_FOUND, "there is no such file").into_response())
}
