//! Whether a Kafka broker answers at an address, with the standard library alone.
//!
//! That a connection is accepted says little: Docker's own proxy accepts it while nothing runs behind. So this asks
//! what every Kafka client asks first, ApiVersions ("Kafka protocol guide", "Protocol Primitives" and "ApiVersions").
//! This file is compiled into the grader too, which asks the same before and after the tests.

use std::{
    io::{self, Read as _, Write as _},
    net::{TcpStream, ToSocketAddrs as _},
    time::Duration,
};

/// ApiVersions has this key, and version 0 is understood by every broker.
const API_KEY: i16 = 18;
const API_VERSION: i16 = 0;
/// The broker gives back this number of ours.
const CORRELATION: i32 = 0x6c61_6273;
const CLIENT: &str = "labs";

/// More than any broker has to say to this.
const LONGEST: i32 = 64 * 1024;

/// Fails unless a broker answers at `HOST:PORT`, each step within the limit.
pub fn kafka(address: &str, limit: Duration) -> io::Result<()> {
    let mut stream = connect(address, limit)?;
    stream.set_read_timeout(Some(limit))?;
    stream.set_write_timeout(Some(limit))?;
    stream.write_all(&request())?;

    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let length = i32::from_be_bytes(length);
    let mut body = [0; 6];
    if !(body.len() as i32..LONGEST).contains(&length) {
        return Err(stranger());
    }
    stream.read_exact(&mut body)?;
    // The number that was sent, then the error code: 0 is none.
    let [a, b, c, d, error @ ..] = body;
    if i32::from_be_bytes([a, b, c, d]) == CORRELATION && i16::from_be_bytes(error) == 0 {
        Ok(())
    } else {
        Err(stranger())
    }
}

/// Connects to the first address of a `HOST:PORT` that accepts.
pub fn connect(address: &str, limit: Duration) -> io::Result<TcpStream> {
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    for address in address.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, limit) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Length, key, version, number, and the client's name with its length. Version 0 has no body.
fn request() -> Vec<u8> {
    let mut request = Vec::new();
    request.extend(API_KEY.to_be_bytes());
    request.extend(API_VERSION.to_be_bytes());
    request.extend(CORRELATION.to_be_bytes());
    request.extend((CLIENT.len() as i16).to_be_bytes());
    request.extend(CLIENT.as_bytes());
    [&(request.len() as i32).to_be_bytes(), &request[..]].concat()
}

fn stranger() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "what answers there is no Kafka")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{net::TcpListener, thread};

    const LIMIT: Duration = Duration::from_secs(30);

    /// What is made of an answer. The bytes follow the length.
    fn answered(bytes: &[u8]) -> io::Result<()> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let answer = bytes.to_owned();
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut asked = vec![0; request().len()];
            stream.read_exact(&mut asked).unwrap();
            stream.write_all(&answer).unwrap();
            asked
        });
        let result = kafka(&address, LIMIT);
        assert_eq!(server.join().unwrap(), request());
        result
    }

    #[test]
    fn a_broker_is_told_from_anything_else() {
        let number = CORRELATION.to_be_bytes();
        assert!(answered(&[&[0, 0, 0, 10], &number[..], &[0, 0, 0, 0, 0, 0]].concat()).is_ok());
        assert!(answered(&[&[0, 0, 0, 10], &number[..], &[0, 35, 0, 0, 0, 0]].concat()).is_err(), "an error");
        assert!(answered(&[0, 0, 0, 10, 1, 2, 3, 4, 0, 0, 0, 0, 0, 0]).is_err(), "another number");
        assert!(answered(b"HTTP/1.1 400 Bad Request\r\n\r\n").is_err());
        assert!(answered(&[]).is_err(), "Docker's proxy with nothing behind it");
    }

    #[test]
    fn nobody_there_is_no_broker() {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        assert!(kafka(&address, LIMIT).is_err());
    }

    #[test]
    fn the_request_is_the_one_of_the_protocol_guide() {
        assert_eq!(request(), b"\x00\x00\x00\x0e\x00\x12\x00\x00labs\x00\x04labs");
    }
}
