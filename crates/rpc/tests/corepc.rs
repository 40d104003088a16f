//! `corepc-client`, unmodified: its types of Bitcoin Core's answers, and the calls that fork-observer makes through it.

#![expect(
    deprecated,
    reason = "its successor has another name; fork-observer speaks through this one"
)]

#[expect(dead_code, reason = "each of the tests uses a part of it")]
mod node;

use std::collections::BTreeMap;

use corepc_client::bitcoin::block::Header;
use corepc_client::bitcoin::consensus::deserialize;
use corepc_client::bitcoin::hashes::Hash as _;
use corepc_client::bitcoin::{BlockHash, consensus};
use corepc_client::client_sync::Auth;
use corepc_client::client_sync::v31::Client;
use corepc_client::types::v31;
use rpc::auth::COOKIE_FILE;
use serde_json::{Value, json};

use node::Node;

fn client(node: &Node) -> Client {
    let auth = Auth::CookieFile(node.folder.path().join(COOKIE_FILE));
    Client::new_with_auth(&format!("http://{}", node.address), auth).expect("a client")
}

/// Every answer is read by the type that `corepc-types` has for it.
#[test]
fn answers_have_the_types_of_bitcoin_core_31() {
    let node = Node::start(&[]);
    let friend = Node::start(&[&node.multiaddr]);
    let client = client(&node);
    let address = node.call("getnewaddress", &json!([]));
    let hashes = node.call("generatetoaddress", &json!([12, address]));
    let payment = node.call("sendtoaddress", &json!([address, 1.5]));
    let block = hashes[3].clone();
    let coinbase = node.call("getblock", &json!([block]))["tx"][0].clone();
    friend.call("waitforblockheight", &json!([12, 60_000]));
    node.call("setban", &json!(["10.0.0.0/8", "add"]));

    let mut misread = Vec::new();
    macro_rules! is_read_as {
        ($method:literal, $arguments:tt, $type:ty) => {
            let arguments = json!($arguments);
            let arguments = arguments.as_array().expect("a list");
            let read = client.call::<$type>($method, arguments);
            if let Err(error) = read {
                misread.push(format!("{}: {error:?}", $method));
            }
        };
    }
    is_read_as!("getblockchaininfo", [], v31::GetBlockchainInfo);
    is_read_as!("getbestblockhash", [], v31::GetBestBlockHash);
    is_read_as!("getblockcount", [], v31::GetBlockCount);
    is_read_as!("getblockhash", [3], v31::GetBlockHash);
    is_read_as!("getblockheader", [block, true], v31::GetBlockHeaderVerbose);
    is_read_as!("getblockheader", [block, false], v31::GetBlockHeader);
    is_read_as!("getblock", [block, 0], v31::GetBlockVerboseZero);
    is_read_as!("getblock", [block, 1], v31::GetBlockVerboseOne);
    is_read_as!("getblock", [block, 2], v31::GetBlockVerboseTwo);
    is_read_as!("getchaintips", [], v31::GetChainTips);
    is_read_as!("getchaintxstats", [], v31::GetChainTxStats);
    is_read_as!("getdifficulty", [], v31::GetDifficulty);
    is_read_as!("getnetworkinfo", [], v31::GetNetworkInfo);
    is_read_as!("getpeerinfo", [], v31::GetPeerInfo);
    is_read_as!("getaddrmaninfo", [], v31::GetAddrManInfo);
    is_read_as!("getconnectioncount", [], v31::GetConnectionCount);
    is_read_as!("listbanned", [], v31::ListBanned);
    is_read_as!("getmempoolinfo", [], v31::GetMempoolInfo);
    is_read_as!("getrawmempool", [], v31::GetRawMempool);
    is_read_as!("getrawmempool", [true], v31::GetRawMempoolVerbose);
    is_read_as!("getmempoolentry", [payment], v31::GetMempoolEntry);
    is_read_as!("getrawtransaction", [payment], v31::GetRawTransaction);
    is_read_as!("getrawtransaction", [payment, 1], v31::GetRawTransactionVerbose);
    is_read_as!("gettxout", [coinbase, 0, false], v31::GetTxOut);
    is_read_as!("gettxoutsetinfo", [], v31::GetTxOutSetInfo);
    is_read_as!("getmininginfo", [], v31::GetMiningInfo);
    is_read_as!("getblocktemplate", [{ "rules": ["segwit"] }], v31::GetBlockTemplate);
    is_read_as!("getnewaddress", [], v31::GetNewAddress);
    is_read_as!("getbalance", [], v31::GetBalance);
    is_read_as!("getbalances", [], v31::GetBalances);
    is_read_as!("getwalletinfo", [], v31::GetWalletInfo);
    is_read_as!("listwallets", [], v31::ListWallets);
    is_read_as!("listunspent", [], v31::ListUnspent);
    is_read_as!("validateaddress", [address], v31::ValidateAddress);
    is_read_as!("generatetoaddress", [1, address], v31::GenerateToAddress);
    is_read_as!("uptime", [], u32);
    assert!(misread.is_empty(), "{misread:#?}");
}

/// The raw forms are those that Bitcoin libraries read; header ids are theirs too.
#[test]
fn the_bitcoin_library_reads_blocks_and_transactions() {
    let node = Node::start(&[]);
    let client = client(&node);
    let address = node.call("getnewaddress", &json!([]));
    node.call("generatetoaddress", &json!([20, address]));
    let payment = node.call("sendtoaddress", &json!([address, 2]));
    let hash = node.call("generatetoaddress", &json!([1, address]))[0].clone();
    let hash: BlockHash = hash.as_str().expect("text").parse().expect("a hash");
    let block = client.get_block(hash).expect("a block that the library reads");
    assert_eq!(block.block_hash(), hash);
    assert_eq!(block.bip34_block_height(), Ok(21));
    assert!(block.txdata[0].is_coinbase() && block.txdata.len() == 2);
    let paid = &block.txdata[1];
    assert!(paid.output.iter().all(|output| output.script_pubkey.is_p2tr()));
    assert!(
        paid.input
            .iter()
            .all(|input| input.witness.len() == 1 && input.witness[0].len() == 64)
    );
    let raw = node.call("getrawtransaction", &json!([payment]));
    assert_eq!(raw.as_str(), Some(consensus::encode::serialize_hex(paid).as_str()));
}

/// What fork-observer (0xB10C) keeps of a node: every header it has, and the tips with their states.
struct Observed {
    headers: BTreeMap<BlockHash, u64>,
    tips: BTreeMap<BlockHash, String>,
}

/// The calls of fork-observer's Bitcoin Core backend (`src/backend/bitcoin_core.rs` and `mod.rs`), in its order: version, tips, headers of the
/// active chain in batches over REST, headers of the other branches one by one, whole blocks for their miners.
fn observe(node: &Node) -> Observed {
    const STEP: u64 = 2_000;
    let client = client(node);
    let network = client
        .get_network_info()
        .expect("network info")
        .into_model()
        .expect("its model");
    assert!(network.subversion.starts_with("/nakanet:"));
    let tips = client
        .get_chain_tips()
        .expect("tips")
        .into_model()
        .expect("their model")
        .0;
    let mut observed = Observed {
        headers: BTreeMap::new(),
        tips: tips.iter().map(|tip| (tip.hash, format!("{:?}", tip.status))).collect(),
    };
    let active = tips
        .iter()
        .find(|tip| format!("{:?}", tip.status) == "Active")
        .expect("an active tip");
    let start = u64::from(active.height).saturating_sub(STEP - 1);
    let first = client
        .get_block_hash(start)
        .expect("a hash")
        .into_model()
        .expect("its model")
        .0;
    let headers = rest(node, &format!("/rest/headers/{STEP}/{first}.bin"));
    for (height, bytes) in (start..).zip(headers.chunks(80)) {
        let header: Header = deserialize(bytes).expect("a header that the library reads");
        observed.headers.insert(header.block_hash(), height);
    }
    for tip in tips.iter().filter(|tip| tip.hash != active.hash) {
        let mut next = tip.hash;
        for above in 0..=u64::from(tip.branch_length) {
            let header = client
                .get_block_header(&next)
                .expect("a header")
                .into_model()
                .expect("its model")
                .0;
            observed.headers.insert(next, u64::from(tip.height) - above);
            next = header.prev_blockhash;
        }
    }
    let genesis = |hash: &BlockHash| observed.headers.get(hash) == Some(&0);
    for hash in observed.headers.keys().filter(|hash| !genesis(hash)) {
        let block = client.get_block(*hash).expect("a block that the library reads");
        assert!(block.txdata[0].is_coinbase());
    }
    observed
}

/// A path without a password, as bytes.
fn rest(node: &Node, path: &str) -> Vec<u8> {
    use std::io::{Read as _, Write as _};
    let mut stream = std::net::TcpStream::connect(node.address).expect("a connection");
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
        node.address
    );
    stream.write_all(request.as_bytes()).expect("a request");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("an answer");
    assert!(answer.starts_with(b"HTTP/1.1 200 "));
    let head = answer
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .expect("a head");
    answer.split_off(head + 4)
}

#[test]
fn what_fork_observer_asks_shows_both_tips_of_every_node() {
    let first = Node::start(&[]);
    let mut nodes: Vec<Node> = (0..3).map(|_| Node::start(&[&first.multiaddr])).collect();
    let address = first.call("getnewaddress", &json!([]));
    let mine = |count: u32| first.call("generatetoaddress", &json!([count, address]));
    mine(5);
    let left = mine(2);
    for node in &nodes {
        node.call("waitforblock", &json!([left[1], 60_000]));
    }
    first.call("invalidateblock", &json!([left[0]]));
    let right = mine(3);
    first.call("reconsiderblock", &json!([left[0]]));
    for node in &nodes {
        node.call("waitforblock", &json!([right[2], 60_000]));
    }
    nodes.push(first);
    let hash = |value: &Value| value.as_str().expect("text").parse::<BlockHash>().expect("a hash");
    for node in &nodes {
        let observed = observe(node);
        let expected = [(hash(&right[2]), "Active"), (hash(&left[1]), "ValidFork")];
        let expected: BTreeMap<_, _> = expected.map(|(tip, status)| (tip, status.to_owned())).into();
        assert_eq!(observed.tips, expected);
        assert_eq!(observed.headers.len(), 1 + 5 + 2 + 3);
        assert_eq!(observed.headers[&hash(&left[0])], 6);
    }
    // It then waits for the next block; at a time-out it asks again.
    let node = &nodes[0];
    let waiting = client(node);
    let answer = waiting.call::<Value>("waitfornewblock", &[1.into()]).expect("the tip");
    assert_eq!(answer["height"], 8);
    let all_zeros = BlockHash::all_zeros();
    assert!(waiting.get_block_header(&all_zeros).is_err());
}
