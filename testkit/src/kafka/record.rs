//! Records as a suite writes and reads them.

use rdkafka::{
    Message as _,
    message::{Header, Headers as _, OwnedHeaders, OwnedMessage},
};

/// A topic of one test.
#[derive(Clone, Debug)]
pub struct Topic {
    /// Its name on the broker, unique to this test.
    pub name: String,
    /// What the suite calls it, such as `orders`: timelines show this.
    pub label: String,
    /// How many partitions it has.
    pub partitions: i32,
}

/// A record to produce.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// The partition, from 0.
    pub partition: i32,
    /// `None`: a record without a key.
    pub key: Option<Vec<u8>>,
    /// `None`: a tombstone.
    pub payload: Option<Vec<u8>>,
    /// In order; a name may come twice, and a value may be missing.
    pub headers: Vec<(String, Option<Vec<u8>>)>,
    /// When it was made, in milliseconds since the Unix epoch; `None`: now.
    pub timestamp: Option<i64>,
}

impl Record {
    /// A tombstone without a key for a partition; the other methods add to it.
    pub fn to(partition: i32) -> Self {
        Self { partition, ..Self::default() }
    }

    /// With this key.
    pub fn key(mut self, key: impl Into<Vec<u8>>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// With this payload.
    pub fn payload(mut self, payload: impl Into<Vec<u8>>) -> Self {
        self.payload = Some(payload.into());
        self
    }

    /// With one header more.
    pub fn header(mut self, name: &str, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((name.to_owned(), Some(value.into())));
        self
    }

    /// With one header more that has no value.
    pub fn header_without_value(mut self, name: &str) -> Self {
        self.headers.push((name.to_owned(), None));
        self
    }

    /// Made at this time, in milliseconds since the Unix epoch.
    pub fn timestamp(mut self, millis: i64) -> Self {
        self.timestamp = Some(millis);
        self
    }

    /// The headers as the client library takes them; `None` where there are none.
    pub(super) fn owned_headers(&self) -> Option<OwnedHeaders> {
        (!self.headers.is_empty()).then(|| {
            let headers = OwnedHeaders::new_with_capacity(self.headers.len());
            self.headers.iter().fold(headers, |headers, (key, value)| {
                headers.insert(Header { key, value: value.as_deref() })
            })
        })
    }

    /// What was read from a topic.
    pub fn of(message: &OwnedMessage) -> Self {
        let header = |header: Header<'_, &[u8]>| (header.key.to_owned(), header.value.map(<[u8]>::to_vec));
        Self {
            partition: message.partition(),
            key: message.key().map(<[u8]>::to_vec),
            payload: message.payload().map(<[u8]>::to_vec),
            headers: message.headers().map(|all| all.iter().map(header).collect()).unwrap_or_default(),
            timestamp: message.timestamp().to_millis(),
        }
    }

    /// The value of the only header of this name as text; `None` when there is none, it has no value, or there are
    /// several.
    pub fn header_text(&self, name: &str) -> Option<String> {
        let mut of_name = self.headers.iter().filter(|(key, _)| key == name);
        match (of_name.next(), of_name.next()) {
            (Some((_, Some(value))), None) => Some(String::from_utf8_lossy(value).into_owned()),
            _ => None,
        }
    }
}
