//! Names for files that are downloaded.

use actix_web::http::header::{Charset, ContentDisposition, DispositionParam, ExtendedValue};

/// A file to be saved, with its name in Chinese (RFC 6266) and, for clients that do not read that, in letters.
pub fn attachment(letters: &str, chinese: &str) -> ContentDisposition {
    let mut name = ContentDisposition::attachment(letters);
    name.parameters.push(DispositionParam::FilenameExt(ExtendedValue {
        charset: Charset::Ext("UTF-8".to_owned()),
        language_tag: None,
        value: chinese.as_bytes().to_vec(),
    }));
    name
}
