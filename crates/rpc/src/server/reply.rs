//! What goes back over HTTP.

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue, WWW_AUTHENTICATE};
use hyper::{Response, StatusCode};

/// A body that is there as a whole.
pub(crate) type Body = Full<Bytes>;

/// JSON.
pub(crate) fn json(status: StatusCode, body: String) -> Response<Body> {
    with_type(status, "application/json", Bytes::from(body))
}

/// Words.
pub(crate) fn text(status: StatusCode, body: &str) -> Response<Body> {
    with_type(status, "text/plain", Bytes::copy_from_slice(body.as_bytes()))
}

/// Nothing.
pub(crate) fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::default());
    *response.status_mut() = status;
    response
}

/// Whoever asks is not known.
pub(crate) fn unauthorized() -> Response<Body> {
    let mut response = empty(StatusCode::UNAUTHORIZED);
    let realm = HeaderValue::from_static("Basic realm=\"jsonrpc\"");
    response.headers_mut().insert(WWW_AUTHENTICATE, realm);
    response
}

/// Bytes of this type, which no browser is to guess about.
pub(crate) fn with_type(status: StatusCode, kind: &'static str, body: Bytes) -> Response<Body> {
    let mut response = Response::new(Body::new(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    let name = HeaderName::from_static("x-content-type-options");
    headers.insert(name, HeaderValue::from_static("nosniff"));
    response
}
