//! Arbitrary bytes as log records, one behind the other: decoding never panics, never goes beyond
//! the end; what was decoded can be described, and is written as the same bytes.

use ese_log::Record;

/// See the head of this module.
pub fn run(data: &[u8]) {
    let mut rest = data;
    while let Ok((record, len)) = Record::decode_prefix(rest) {
        assert!(len > 0 && len <= rest.len());
        assert_eq!(Record::decode(&rest[..len]).expect("the same bytes"), record);
        assert!(!record.describe().is_empty());
        assert!(record.pages().count() <= 5);
        let _ = (record.page_head(), record.node_head(), record.procid(), record.number());
        if let Ok(parts) = record.parts() {
            let mut bytes = Vec::new();
            parts.write(&mut bytes);
            assert_eq!(bytes.len(), parts.encoded_len());
            assert_eq!(bytes, rest[..len], "a record is written as it was read");
            let again = Record::decode(&bytes).expect("what was written can be read");
            assert_eq!(again, record);
        }
        // Those without a known layout reach to the end, wherever it is.
        let open = matches!(record, Record::Ignored(_) | Record::Obsolete(_));
        for cut in [0, 1, len / 2, len - 1].into_iter().filter(|&cut| cut < len && !open) {
            assert!(Record::decode(&rest[..cut]).is_err(), "{} cut at {cut}", record.describe());
        }
        rest = &rest[len..];
    }
}
