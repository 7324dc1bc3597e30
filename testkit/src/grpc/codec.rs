//! Reads messages out of the bytes of a call.

use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor};
use std::sync::LazyLock;

/// Every message is preceded by one byte of flags and four of length (PROTOCOL-HTTP2.md, "Length-Prefixed-Message").
const PREFIX: usize = 5;

/// All contracts of the labs.
static COMMON: LazyLock<Contracts> = LazyLock::new(|| {
    let pool = DescriptorPool::decode(proto::FILE_DESCRIPTOR_SET);
    Contracts(pool.expect("the proto crate made a sound descriptor set"))
});

/// What the methods of some services take and give.
#[derive(Clone, Debug)]
pub(super) struct Contracts(DescriptorPool);

impl Contracts {
    /// Those of the `proto` crate, which the labs share.
    pub(super) fn common() -> Self {
        COMMON.clone()
    }

    /// Those of an encoded `google.protobuf.FileDescriptorSet`. Of bytes that are none, no contracts: calls are then
    /// told without the words of their messages.
    pub(super) fn of(descriptors: &[u8]) -> Self {
        Self(DescriptorPool::decode(descriptors).unwrap_or_default())
    }

    /// The types of the messages of a method, requests first. `None` for a method that no contract knows.
    pub(super) fn types_of(&self, path: &str) -> Option<(MessageDescriptor, MessageDescriptor)> {
        let (service, method) = path.strip_prefix('/')?.split_once('/')?;
        let service = self.0.get_service_by_name(service)?;
        let method = service.methods().find(|known| known.name() == method)?;
        Some((method.input(), method.output()))
    }
}

/// Takes the bytes of one direction of a call as they come and gives back each message that is complete.
pub(super) struct Messages {
    kind: Option<MessageDescriptor>,
    bytes: Vec<u8>,
}

impl Messages {
    pub(super) fn of(kind: Option<MessageDescriptor>) -> Self {
        Self { kind, bytes: Vec::new() }
    }

    /// Adds bytes and returns the messages that they complete, in protobuf's text format.
    pub(super) fn read(&mut self, bytes: &[u8]) -> Vec<String> {
        self.bytes.extend_from_slice(bytes);
        let mut complete = Vec::new();
        while let Some(prefix) = self.bytes.first_chunk::<PREFIX>() {
            let [flags, length @ ..] = *prefix;
            let end = PREFIX + u32::from_be_bytes(length) as usize;
            if self.bytes.len() < end {
                break;
            }
            let message: Vec<u8> = self.bytes.drain(..end).skip(PREFIX).collect();
            complete.push(self.text(flags, &message));
        }
        complete
    }

    fn text(&self, flags: u8, message: &[u8]) -> String {
        let size = message.len();
        match &self.kind {
            Some(kind) if flags == 0 => match DynamicMessage::decode(kind.clone(), message) {
                Ok(message) => message.to_text_format(),
                Err(_) => format!("{size} bytes that are no {}", kind.name()),
            },
            _ => format!("{size} bytes"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHECK: &str = "/grpc.health.v1.Health/Check";
    // HealthCheckRequest { service: "a" }, behind its prefix.
    const REQUEST: [u8; 8] = [0, 0, 0, 0, 3, 0x0a, 1, b'a'];

    fn requests() -> Messages {
        Messages::of(Contracts::common().types_of(CHECK).map(|(request, _)| request))
    }

    #[test]
    fn a_message_in_pieces_is_read_once_it_is_whole() {
        let mut messages = requests();
        assert!(messages.read(&REQUEST[..4]).is_empty());
        assert!(messages.read(&REQUEST[4..7]).is_empty());
        assert_eq!(messages.read(&REQUEST[7..]), ["service:\"a\""]);
    }

    #[test]
    fn two_messages_in_one_piece_are_two() {
        assert_eq!(requests().read(&[REQUEST, REQUEST].concat()).len(), 2);
    }

    #[test]
    fn bytes_that_are_no_message_are_counted() {
        let mut messages = requests();
        assert_eq!(messages.read(&[0, 0, 0, 0, 1, 0xff]), ["1 bytes that are no HealthCheckRequest"]);
        assert!(Contracts::common().types_of("/nobody.v1.Knows/This").is_none());
    }

    #[test]
    fn contracts_of_a_labs_own_are_read_from_their_descriptors() {
        assert!(Contracts::of(proto::FILE_DESCRIPTOR_SET).types_of(CHECK).is_some());
        assert!(Contracts::of(b"no descriptors").types_of(CHECK).is_none());
    }
}
