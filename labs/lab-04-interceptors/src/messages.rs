//! Counts the messages of a call in the bytes that carry it.

/// Counts the messages in one direction of a call.
///
/// gRPC cuts messages out of the stream of bytes by itself, and HTTP/2 cuts the same bytes into frames as it likes: a
/// chunk of a body can hold three messages, or the third part of one. So what is counted is what the bytes say: each
/// message begins with a byte of flags and four bytes of length, the highest first, and ends so many bytes later.
///
/// It keeps no bytes of a message, however long that is. The private fields are yours.
#[derive(Clone, Debug, Default)]
pub struct MessageCounter {
    /// The prefix of the message that is being read, as far as it has come.
    prefix: [u8; 5],
    /// Bytes of the prefix that have come.
    filled: usize,
    /// Bytes of the message that are still to come, once the prefix is complete.
    missing: u32,
}

impl MessageCounter {
    /// Takes the next chunk and says how many messages end in it. A message of length zero ends with its prefix.
    pub fn read(&mut self, chunk: &[u8]) -> u64 {
        todo!("step 2: go through the bytes: a prefix, that many bytes, the next prefix")
    }
}
