use crate::outside::stand::{closed, serve_plain};

use super::*;

#[tokio::test]
async fn open_and_closed_are_told_apart() {
    assert_eq!(port(serve_plain(String::new()).await).await, Answer::Present(Reply::Text("open".into())));
    assert_eq!(port(closed().await).await, Answer::Absent);
}
