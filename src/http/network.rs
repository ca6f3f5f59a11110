//! Where a request comes from, also through proxies.

use std::net::IpAddr;
use std::str::FromStr;

use actix_web::http::header::{HeaderMap, HeaderName};
use serde::Deserialize;

/// Addresses that begin alike: `10.0.0.0/8`, or a single one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

impl FromStr for Network {
    /// What it should be.
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refusal = || format!("{text:?} is no address and no network such as 10.0.0.0/8");
        let (address, prefix) = text
            .split_once('/')
            .map_or((text, None), |(address, prefix)| (address, Some(prefix)));
        let address: IpAddr = address.parse().map_err(|_| refusal())?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.map_or(Ok(longest), str::parse).map_err(|_| refusal())?;
        match prefix <= longest {
            true => Ok(Self { address, prefix }),
            false => Err(refusal()),
        }
    }
}

impl TryFrom<String> for Network {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl Network {
    /// Whether an address is in it.
    pub fn has(&self, address: IpAddr) -> bool {
        let differ = match (self.address, address.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => u128::from(own.to_bits() ^ other.to_bits()) << 96,
            (IpAddr::V6(own), IpAddr::V6(other)) => own.to_bits() ^ other.to_bits(),
            _ => return false,
        };
        differ.leading_zeros() >= u32::from(self.prefix)
    }
}

/// What proxies write down whom they ask for in: each adds the one that asked it at the end.
static X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The address of the client: who connected, or if that is a trusted proxy the last one in `X-Forwarded-For` that is none.
/// What a client itself writes there stands before that, and is not believed.
pub fn client_of(peer: IpAddr, headers: &HeaderMap, trusted: &[Network]) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.has(address));
    let mut client = peer;
    if trusted.is_empty() || !is_trusted(peer) {
        return client;
    }
    let lines: Vec<_> = headers.get_all(&X_FORWARDED_FOR).collect();
    let named = lines
        .iter()
        .rev()
        .flat_map(|line| line.to_str().unwrap_or_default().rsplit(','));
    for named in named {
        let Ok(address) = named.trim().parse() else {
            break;
        };
        client = address;
        if !is_trusted(address) {
            break;
        }
    }
    client
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    fn network(text: &str) -> Network {
        text.parse().unwrap()
    }

    #[test]
    fn a_network_has_the_addresses_that_begin_as_it_does() {
        let has = |text: &str, address: &str| network(text).has(address.parse().unwrap());
        assert!(has("10.0.0.0/8", "10.255.0.1") && !has("10.0.0.0/8", "11.0.0.1"));
        assert!(has("10.1.2.3", "10.1.2.3") && !has("10.1.2.3", "10.1.2.2"));
        assert!(has("10.1.2.3", "::ffff:10.1.2.3"));
        assert!(has("fd00::/8", "fdff::1") && !has("fd00::/8", "fe80::1") && !has("fd00::/8", "10.0.0.1"));
        assert!(has("0.0.0.0/0", "1.2.3.4"));
        for bad in ["", "10.0.0", "10.0.0.0/33", "10.0.0.0/", "::/129", "proxy"] {
            assert!(bad.parse::<Network>().is_err(), "{bad}");
        }
    }

    #[test]
    fn only_a_trusted_proxy_says_whom_it_asks_for_and_the_client_cannot_choose_its_address() {
        let trusted = [network("127.0.0.1"), network("10.0.0.0/24")];
        let client = |peer: &str, lines: &[&str], trusted: &[Network]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(X_FORWARDED_FOR.clone(), HeaderValue::from_str(line).unwrap());
            }
            client_of(peer.parse().unwrap(), &headers, trusted).to_string()
        };
        assert_eq!(client("127.0.0.1", &["192.0.2.7"], &[]), "127.0.0.1");
        assert_eq!(client("192.0.2.9", &["192.0.2.7"], &trusted), "192.0.2.9");
        assert_eq!(client("127.0.0.1", &["192.0.2.7"], &trusted), "192.0.2.7");
        // The first is what the client wrote itself.
        assert_eq!(
            client("127.0.0.1", &["198.51.100.1, 192.0.2.7, 10.0.0.5"], &trusted),
            "192.0.2.7"
        );
        assert_eq!(
            client("127.0.0.1", &["198.51.100.1", "192.0.2.7"], &trusted),
            "192.0.2.7"
        );
        assert_eq!(client("127.0.0.1", &[], &trusted), "127.0.0.1");
        assert_eq!(client("127.0.0.1", &["unknown, 10.0.0.5"], &trusted), "10.0.0.5");
    }
}
