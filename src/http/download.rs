//! Names for files that are downloaded.

use actix_web::http::header::{Charset, ContentDisposition, DispositionParam, DispositionType, ExtendedValue};

/// A file to be saved, with its name in Chinese (RFC 6266) and, for clients that do not read that, in letters.
pub fn attachment(letters: &str, chinese: &str) -> ContentDisposition {
    named(DispositionType::Attachment, letters, chinese)
}

/// The same for a file that is to be saved or shown.
pub fn named(disposition: DispositionType, letters: &str, chinese: &str) -> ContentDisposition {
    ContentDisposition {
        disposition,
        parameters: vec![
            DispositionParam::Filename(letters.to_owned()),
            DispositionParam::FilenameExt(ExtendedValue {
                charset: Charset::Ext("UTF-8".to_owned()),
                language_tag: None,
                value: chinese.as_bytes().to_vec(),
            }),
        ],
    }
}
