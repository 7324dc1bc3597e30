//! Counts the messages of a call in the bytes that carry it.

// stub: drop
/// One byte of flags and four of length stand before every message (PROTOCOL-HTTP2.md, "Length-Prefixed-Message").
const PREFIX: usize = 5;

// stub: end
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
        // stub: todo!("step 2: go through the bytes: a prefix, that many bytes, the next prefix")
        let mut rest = chunk;
        let mut ended = 0;
        loop {
            if self.filled < PREFIX {
                let (now, later) = rest.split_at(rest.len().min(PREFIX - self.filled));
                self.prefix[self.filled..][..now.len()].copy_from_slice(now);
                self.filled += now.len();
                rest = later;
                if self.filled < PREFIX {
                    return ended;
                }
                let [_flags, length @ ..] = self.prefix;
                self.missing = u32::from_be_bytes(length);
            }
            let passing = u32::try_from(rest.len()).unwrap_or(u32::MAX).min(self.missing);
            self.missing -= passing;
            rest = &rest[passing as usize..];
            if self.missing > 0 {
                return ended;
            }
            ended += 1;
            self.filled = 0;
        }
        // stub: end
    }
}
