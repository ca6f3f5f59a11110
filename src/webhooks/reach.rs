//! Where webhooks may go, so that nobody can have the server ask what only it reaches: its loopback addresses, or the metadata
//! service of a cloud that it runs in.

use std::net::{IpAddr, Ipv4Addr};

use serde::Deserialize;
use url::{Host, Url};

use crate::fault::Text;
use crate::http::network::Network;

/// What is allowed besides https to other machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Allowed {
    /// Plain http.
    Http,
    /// The loopback addresses of this machine, also over http.
    Loopback,
}

/// Networks that nothing is ever sent to: this host, link-local (with it the metadata services of most clouds), multicast, reserved;
/// metadata services elsewhere, of Alibaba Cloud, Azure, AWS and Google Cloud; and the IPv6 addresses that stand for IPv4 addresses,
/// which would lead past this table (NAT64, 6to4).
const NEVER: &[&str] = &[
    "0.0.0.0/8",
    "169.254.0.0/16",
    "224.0.0.0/3",
    "100.100.100.200",
    "168.63.129.16",
    "::/128",
    "fe80::/10",
    "ff00::/8",
    "fd00:ec2::254",
    "fd20:ce::254",
    "64:ff9b::/96",
    "64:ff9b:1::/48",
    "2002::/16",
];

const LOOPBACK: &[&str] = &["127.0.0.0/8", "::1"];

/// Where webhooks may go.
#[derive(Debug, Clone)]
pub struct Reach {
    http: bool,
    loopback: bool,
    refused: Vec<Network>,
}

impl Reach {
    /// Where they may go when this is allowed.
    pub fn new(allowed: &[Allowed]) -> Self {
        let loopback = allowed.contains(&Allowed::Loopback);
        let refused = NEVER.iter().chain(LOOPBACK.iter().filter(|_| !loopback));
        Self {
            http: allowed.contains(&Allowed::Http),
            loopback,
            refused: refused.filter_map(|network| network.parse().ok()).collect(),
        }
    }

    /// Whether something may be sent to this address of the network.
    pub fn has(&self, address: IpAddr) -> bool {
        !self.refused.iter().any(|network| network.has(address))
    }

    /// Why nothing may be sent to `url`, as far as it says so itself; what its name stands for is seen when it is sent.
    pub fn refusal(&self, url: &Url) -> Option<(&'static str, Text)> {
        let address = match url.host() {
            Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
            Some(Host::Domain(name)) if name == "localhost" || name.ends_with(".localhost") => {
                Some(Ipv4Addr::LOCALHOST.into())
            }
            _ => None,
        };
        if address.is_some_and(|address| !self.has(address)) {
            return Some((
                "unreachable",
                Text::fixed(
                    "不得推送至本机回环地址、链路本地地址及云平台元数据地址；如需推送至本机回环地址，请管理员设置JIXIAO_WEBHOOK_ALLOW=loopback。",
                    "nothing is sent to loopback and link-local addresses and to the metadata services of clouds; for loopback the \
                     administrator sets JIXIAO_WEBHOOK_ALLOW=loopback",
                ),
            ));
        }
        let own = self.loopback && address.is_some_and(|address| address.to_canonical().is_loopback());
        if url.scheme() != "https" && !self.http && !own {
            return Some((
                "not_https",
                Text::fixed(
                    "应为https地址；内部网络确需使用http的，请管理员设置JIXIAO_WEBHOOK_ALLOW=http。",
                    "it must be https; for plain http within a network of its own the administrator sets JIXIAO_WEBHOOK_ALLOW=http",
                ),
            ));
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(allowed: &[Allowed], url: &str) -> Option<&'static str> {
        let refused = Reach::new(allowed).refusal(&url.parse().unwrap());
        refused.map(|(code, _)| code)
    }

    #[test]
    fn the_networks_of_the_table_are_networks() {
        assert_eq!(Reach::new(&[]).refused.len(), NEVER.len() + LOOPBACK.len());
    }

    #[test]
    fn this_machine_and_metadata_services_are_out_of_reach_however_they_are_written() {
        for url in [
            "https://169.254.169.254/latest/meta-data/",
            "https://[fe80::1]/",
            "https://[::ffff:169.254.169.254]/",
            "https://0xa9fea9fe/",
            "https://2852039166/",
            "https://100.100.100.200/",
            "https://0.0.0.0/",
            "https://255.255.255.255/",
            "https://[::]/",
            "https://[fd20:ce::254]/",
            "https://[64:ff9b::169.254.169.254]/",
            "https://[64:ff9b:1::a9fe:a9fe]/",
            "https://[2002:7f00:1::]/",
        ] {
            for allowed in [&[][..], &[Allowed::Http, Allowed::Loopback]] {
                assert_eq!(refusal(allowed, url), Some("unreachable"), "{url}");
            }
        }
        for url in [
            "https://127.0.0.1/",
            "https://127.1/",
            "https://[::1]/",
            "https://localhost/",
            "http://a.localhost:80/",
        ] {
            assert_eq!(refusal(&[], url), Some("unreachable"), "{url}");
            assert_eq!(refusal(&[Allowed::Loopback], url), None, "{url}");
        }
    }

    #[test]
    fn https_goes_to_the_county_s_own_network_and_http_where_it_is_allowed() {
        for host in ["oa.example.gov.cn", "10.1.2.3", "192.168.1.9:8443", "[fd00::1]"] {
            assert_eq!(refusal(&[], &format!("https://{host}/hook")), None, "{host}");
            assert_eq!(
                refusal(&[], &format!("http://{host}/hook")),
                Some("not_https"),
                "{host}"
            );
            assert_eq!(
                refusal(&[Allowed::Loopback], &format!("http://{host}/hook")),
                Some("not_https"),
                "{host}"
            );
            assert_eq!(
                refusal(&[Allowed::Http], &format!("http://{host}/hook")),
                None,
                "{host}"
            );
        }
    }
}
