use std::net::SocketAddr;

use hickory_resolver::config::ConnectionConfig;
use hickory_resolver::proto::op::{Message, MessageType, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, CAA, CNAME};
use hickory_resolver::proto::rr::{Name, Record};
use tokio::net::UdpSocket;

use super::*;

/// Answers over UDP what a name stands for.
async fn stub() -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut buffer = [0; 1500];
        while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
            let reply = reply(&Message::from_vec(&buffer[..length]).unwrap());
            socket.send_to(&reply.to_vec().unwrap(), from).await.unwrap();
        }
    });
    address
}

fn reply(asked: &Message) -> Message {
    let query = asked.queries[0].clone();
    let name = query.name().clone();
    let mut reply = Message::new(asked.metadata.id, MessageType::Response, asked.metadata.op_code);
    reply.metadata.recursion_available = true;
    let mut answer = |owner: &Name, data: RData| reply.answers.push(Record::from_rdata(owner.clone(), 60, data));
    match (name.to_ascii().as_str(), query.query_type()) {
        ("shop.example.", RecordType::A) => {
            answer(&name, RData::A(A::new(203, 0, 113, 11)));
            answer(&name, RData::A(A::new(203, 0, 113, 10)));
        }
        ("shop.example.", RecordType::CAA) => {
            answer(&name, RData::CAA(CAA::new_issue(false, Some(Name::from_ascii("letsencrypt.org").unwrap()), Vec::new())));
        }
        ("www.shop.example.", RecordType::A) => {
            let target = Name::from_ascii("shop.example.").unwrap();
            answer(&name, RData::CNAME(CNAME(target.clone())));
            answer(&target, RData::A(A::new(203, 0, 113, 10)));
        }
        ("shop.example.", _) => {}
        ("broken.example.", _) => reply.metadata.response_code = ResponseCode::ServFail,
        _ => reply.metadata.response_code = ResponseCode::NXDomain,
    }
    reply.queries.push(query);
    reply
}

async fn resolver() -> TokioResolver {
    let mut connection = ConnectionConfig::udp();
    let address = stub().await;
    connection.port = address.port();
    let mut server = NameServerConfig::udp(address.ip());
    server.connections = vec![connection];
    let config = ResolverConfig::from_name_servers(vec![server]);
    built(TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())).unwrap()
}

fn found(texts: &[&str]) -> Answer {
    Answer::Present(Reply::Records(texts.iter().map(|text| (*text).into()).collect()))
}

#[tokio::test]
async fn records_are_texts_in_order() {
    let resolver = resolver().await;
    assert_eq!(records(&resolver, "shop.example", RecordKind::A).await, found(&["203.0.113.10", "203.0.113.11"]));
    assert_eq!(records(&resolver, "shop.example", RecordKind::Caa).await, found(&[r#"0 issue "letsencrypt.org""#]));
    assert_eq!(records(&resolver, "www.shop.example", RecordKind::A).await, found(&["203.0.113.10"]));
}

#[tokio::test]
async fn none_absent_and_broken_are_told_apart() {
    let resolver = resolver().await;
    assert_eq!(records(&resolver, "shop.example", RecordKind::Aaaa).await, found(&[]));
    assert_eq!(records(&resolver, "nobody.example", RecordKind::A).await, Answer::Absent);
    let Answer::Unreadable(reason) = records(&resolver, "broken.example", RecordKind::A).await else { panic!() };
    assert!(reason.contains("Server Failure"), "{reason}");
}
