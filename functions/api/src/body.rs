//! The bodies of requests: plain, or packed with gzip.

use std::io::Read;

use axum::body::Bytes;
use axum::http::{HeaderMap, header};
use flate2::read::MultiGzDecoder;
use stafett_domain::Text;

use crate::problem::Problem;

/// Bytes of one request, unpacked (design §7).
pub(crate) const LARGEST_REQUEST: usize = 4_000_000;

/// The body as it was before it was packed, if it was, and if it is not too large.
pub(crate) fn unpacked(headers: &HeaderMap, body: Bytes) -> Result<Bytes, Problem> {
    let encoding = headers.get(header::CONTENT_ENCODING).map(|value| value.as_bytes().to_ascii_lowercase());
    let body = match encoding.as_deref() {
        None | Some(b"identity") => body,
        Some(b"gzip") => {
            let mut plain = Vec::new();
            // One byte more than may be: that tells what is too large without unpacking all of it.
            let most = LARGEST_REQUEST as u64 + 1;
            MultiGzDecoder::new(body.as_ref()).take(most).read_to_end(&mut plain).map_err(|_| no_gzip())?;
            plain.into()
        }
        Some(_) => return Err(Problem::Encoding),
    };
    if body.len() > LARGEST_REQUEST { Err(Problem::TooLarge) } else { Ok(body) }
}

fn no_gzip() -> Problem {
    Problem::NotReadable(Text {
        en: "The body is not gzip, as Content-Encoding says. Nothing was stored. Correct it and send again."
            .to_owned(),
        sv: "Innehållet är inte gzip, som Content-Encoding anger. Inget har sparats. Rätta det och skicka igen."
            .to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use axum::http::HeaderValue;

    fn gzip(plain: &[u8]) -> Bytes {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(plain).unwrap();
        packed.finish().unwrap().into()
    }

    fn taken(encoding: Option<&'static str>, body: Bytes) -> Result<Bytes, u16> {
        let mut headers = HeaderMap::new();
        if let Some(encoding) = encoding {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
        unpacked(&headers, body).map_err(|problem| problem.status().as_u16())
    }

    #[test]
    fn a_packed_body_is_the_plain_one() {
        for (encoding, body) in [(None, Bytes::from("{}")), (Some("GZip"), gzip(b"{}"))] {
            assert_eq!(taken(encoding, body), Ok(Bytes::from("{}")));
        }
        assert_eq!(taken(Some("gzip"), Bytes::from("{}")), Err(400));
        assert_eq!(taken(Some("br"), Bytes::from("{}")), Err(415));
    }

    #[test]
    fn the_limit_is_that_of_the_plain_body() {
        let largest = vec![b' '; LARGEST_REQUEST];
        assert_eq!(taken(Some("gzip"), gzip(&largest)).map(|body| body.len()), Ok(LARGEST_REQUEST));
        let larger = vec![b' '; LARGEST_REQUEST + 1];
        assert_eq!(taken(Some("gzip"), gzip(&larger)), Err(413));
        assert_eq!(taken(None, larger.into()), Err(413));
    }
}
