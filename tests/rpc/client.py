"""Every method of the interface, called by python-bitcoinrpc on real nodes.

usage: client.py NAKANET

What a method gives is compared with the fields that Bitcoin Core documents: FIELDS below, from the help texts of Bitcoin Core 30.0
(src/rpc/blockchain.cpp, mempool.cpp, mining.cpp, net.cpp, rawtransaction.cpp, src/wallet/rpc). Fields that Core calls optional, or that are
about scripts, deployments or pruning, are left out there; docs/RPC.md says which.
"""

import base64
import hashlib
import http.client
import json
import sys
import threading
import unittest

from node import Node

from bitcoinrpc.authproxy import AuthServiceProxy, JSONRPCException

NAKANET = sys.argv.pop(1)

HEADER = (
    "hash confirmations height version versionHex merkleroot time mediantime nonce bits target difficulty chainwork nTx"
)
TRANSACTION = "txid hash version size vsize weight locktime vin vout"
SCRIPT = "asm desc hex type address"
FIELDS = {
    "getblockchaininfo": "chain blocks headers bestblockhash bits target difficulty time mediantime verificationprogress"
    " initialblockdownload chainwork size_on_disk pruned warnings",
    "getblockheader": HEADER,
    "getblock": HEADER + " strippedsize size weight tx",
    "getchaintips": "height hash branchlen status",
    "getchaintxstats": "time txcount window_final_block_hash window_final_block_height window_block_count window_tx_count"
    " window_interval",
    "getnetworkinfo": "version subversion protocolversion localservices localservicesnames localrelay timeoffset connections"
    " connections_in connections_out networkactive networks relayfee incrementalfee localaddresses warnings",
    "getnetworkinfo.networks": "name limited reachable proxy proxy_randomize_credentials",
    "getpeerinfo": "id addr network services servicesnames relaytxes lastsend lastrecv last_transaction last_block bytessent"
    " bytesrecv conntime timeoffset version subver inbound bip152_hb_to bip152_hb_from presynced_headers synced_headers"
    " synced_blocks inflight addr_relay_enabled addr_processed addr_rate_limited permissions minfeefilter bytessent_per_msg"
    " bytesrecv_per_msg connection_type transport_protocol_type session_id",
    "getmempoolinfo": "loaded size bytes usage total_fee maxmempool mempoolminfee minrelaytxfee incrementalrelayfee"
    " unbroadcastcount fullrbf permitbaremultisig maxdatacarriersize",
    "getmempoolentry": "vsize weight time height descendantcount descendantsize ancestorcount ancestorsize wtxid fees depends"
    " spentby bip125-replaceable unbroadcast",
    "getmempoolentry.fees": "base modified ancestor descendant",
    "getrawtransaction": TRANSACTION + " hex",
    "vin": "txid vout scriptSig sequence txinwitness",
    "prevout": "generated height value scriptPubKey",
    "vout": "value n scriptPubKey",
    "scriptPubKey": SCRIPT,
    "gettxout": "bestblock confirmations value scriptPubKey coinbase",
    "gettxoutsetinfo": "height bestblock txouts bogosize hash_serialized_3 total_amount transactions disk_size",
    "testmempoolaccept": "txid wtxid allowed vsize fees",
    "testmempoolaccept.fees": "base effective-feerate effective-includes",
    "testmempoolaccept.refused": "txid wtxid allowed reject-reason reject-details",
    "getblocktemplate": "version rules vbavailable capabilities vbrequired previousblockhash transactions coinbaseaux"
    " coinbasevalue longpollid target mintime mutable noncerange sigoplimit sizelimit weightlimit curtime bits height",
    "getblocktemplate.transactions": "data txid hash depends fee sigops weight",
    "getmininginfo": "blocks bits difficulty target networkhashps pooledtx blockmintxfee chain next warnings",
    "getmininginfo.next": "height bits difficulty target",
    "listbanned": "address ban_created banned_until ban_duration time_remaining",
    "validateaddress": "isvalid address scriptPubKey isscript iswitness witness_version witness_program",
    "validateaddress.invalid": "isvalid error_locations error",
    "listunspent": "txid vout address label scriptPubKey amount confirmations spendable solvable desc parent_descs safe",
    "getbalances": "mine lastprocessedblock",
    "getbalances.mine": "trusted untrusted_pending immature",
    "getwalletinfo": "walletname walletversion format txcount keypoolsize private_keys_enabled avoid_reuse scanning descriptors"
    " external_signer blank flags lastprocessedblock",
    "waitfornewblock": "hash height",
}
MATURITY = 10
NOBODY = "00" * 32


class Client(Node):
    """A node, and python-bitcoinrpc that speaks to it."""

    def __init__(self, *arguments):
        self.called = set()
        super().__init__(NAKANET, *arguments)

    def client(self):
        cookie = (self.data / ".cookie").read_text()
        return AuthServiceProxy(f"http://{cookie}@{self.address}", timeout=60)

    def call(self, method, *arguments):
        self.called.add(method)
        client = self.client()
        try:
            return getattr(client, method)(*arguments)
        finally:
            client._AuthServiceProxy__conn.close()

    def rest(self, path):
        connection = http.client.HTTPConnection(self.address, timeout=60)
        connection.request("GET", "/rest/" + path)
        answer = connection.getresponse()
        read = answer.status, answer.read()
        connection.close()
        return read

    def post(self, body):
        cookie = (self.data / ".cookie").read_bytes()
        connection = http.client.HTTPConnection(self.address, timeout=60)
        headers = {"Authorization": "Basic " + base64.b64encode(cookie).decode()}
        connection.request("POST", "/", body, headers)
        answer = connection.getresponse()
        read = answer.status, answer.read()
        connection.close()
        return read

    def generate(self, count, address=None):
        return self.call("generatetoaddress", count, address or self.call("getnewaddress"))


class Interface(unittest.TestCase):
    nodes = []
    covered = set()

    def node(self, *arguments):
        node = Client(*arguments)
        self.nodes.append(node)
        return node

    def tearDown(self):
        for node in self.nodes:
            Interface.covered |= node.called
            node.end()
        self.nodes.clear()

    def shape(self, name, found):
        missing = set(FIELDS[name].split()) - set(found)
        self.assertFalse(missing, f"{name} lacks {missing}")

    def refused(self, code, node, method, *arguments):
        with self.assertRaises(JSONRPCException) as refusal:
            node.call(method, *arguments)
        self.assertEqual(refusal.exception.code, code, f"{method}: {refusal.exception.message}")
        return refusal.exception.message

    def until(self, what, is_it):
        """Waits for something that no method waits for; the bound is reached by a failure alone."""
        for _ in range(100_000):
            if is_it():
                return
        self.fail(f"never {what}")

    def test_chain(self):
        node = self.node()
        genesis = node.call("getbestblockhash")
        self.assertEqual(node.call("getblockcount"), 0)
        self.assertEqual(node.call("getblockhash", 0), genesis)
        hashes = node.generate(12)
        self.assertEqual(node.call("getblockcount"), 12)
        self.assertEqual(node.call("getbestblockhash"), hashes[-1])
        info = node.call("getblockchaininfo")
        self.shape("getblockchaininfo", info)
        self.assertEqual((info["chain"], info["blocks"], info["pruned"]), ("instant", 12, False))
        self.assertGreater(info["size_on_disk"], 0)
        header = node.call("getblockheader", hashes[4])
        self.shape("getblockheader", header)
        self.assertEqual((header["height"], header["confirmations"]), (5, 8))
        self.assertEqual(header["previousblockhash"], hashes[3])
        self.assertEqual(header["nextblockhash"], hashes[5])
        self.assertEqual(len(node.call("getblockheader", hashes[4], False)), 160)
        self.assertEqual(node.call("getdifficulty"), header["difficulty"])
        for level in (1, 2, 3):
            block = node.call("getblock", hashes[4], level)
            self.shape("getblock", block)
            self.assertEqual(block["nTx"], len(block["tx"]))
        self.shape("getrawtransaction", block["tx"][0])
        self.shape("scriptPubKey", block["tx"][0]["vout"][0]["scriptPubKey"])
        raw = node.call("getblock", hashes[4], 0)
        self.assertEqual(raw[:160], node.call("getblockheader", hashes[4], False))
        self.assertEqual(node.call("getblock", hashes[4])["tx"], [block["tx"][0]["txid"]])
        stats = node.call("getchaintxstats", 5)
        self.shape("getchaintxstats", stats)
        self.assertEqual((stats["txcount"], stats["window_tx_count"]), (13, 5))
        coins = node.call("gettxoutsetinfo")
        self.shape("gettxoutsetinfo", coins)
        self.assertEqual((coins["txouts"], coins["total_amount"]), (12, 600))
        self.assertEqual(node.call("gettxoutsetinfo", "none", 3)["txouts"], 3)
        self.assertGreaterEqual(node.call("getnetworkhashps"), 0)
        # The difficulty never changes here, so -1 is the whole chain, from the genesis block that was given long ago.
        self.assertGreater(node.call("getnetworkhashps", -1), 0)
        self.assertEqual(node.call("getnetworkhashps", -1), node.call("getnetworkhashps", node.call("getblockcount")))
        self.assertGreaterEqual(node.call("uptime"), 0)

    def test_wrong_arguments(self):
        node = self.node()
        genesis = node.call("getbestblockhash")
        tip = node.generate(1)[0]
        for height in (-1, 2, 2**31 - 1, -(2**31)):
            self.refused(-8, node, "getblockhash", height)
            self.refused(-8, node, "gettxoutsetinfo", "none", height)
        self.refused(-8, node, "getnetworkhashps", 5, 2**31 - 1)
        # Heights, counts and time-outs are numbers of 32 bits.
        for height in (2**31, -(2**31) - 1, 2**63 - 1, -(2**63), 2**63, 2**64, 1e300, 1.5):
            self.refused(-1, node, "getblockhash", height)
            self.refused(-1, node, "gettxoutsetinfo", "none", height)
            self.refused(-1, node, "getnetworkhashps", 5, height)
            self.refused(-1, node, "getchaintxstats", height)
            self.refused(-1, node, "waitforblockheight", height)
            self.refused(-1, node, "waitfornewblock", height)
            self.refused(-1, node, "getblock", genesis, height)
            self.refused(-1, node, "listunspent", height)
        for place in (2**32, 2**63, 2**64, 1e300, 1.5):
            self.refused(-1, node, "gettxout", NOBODY, place)
        self.refused(-8, node, "getnetworkhashps", -2)
        for method in ("getblock", "getblockheader", "invalidateblock", "reconsiderblock", "preciousblock"):
            self.refused(-5, node, method, NOBODY)
            self.refused(-8, node, method, "00")
            self.refused(-8, node, method, "zz" * 32)
            self.refused(-3, node, method, 7)
        self.refused(-8, node, "invalidateblock", genesis)
        self.refused(-5, node, "getrawtransaction", NOBODY)
        self.refused(-5, node, "getrawtransaction", NOBODY, 1, tip)
        self.refused(-5, node, "getmempoolentry", NOBODY)
        self.assertIsNone(node.call("gettxout", NOBODY, 0))
        self.assertIsNone(node.call("gettxout", NOBODY, 2**32 - 1))
        self.refused(-1, node, "gettxout", NOBODY, 2**32)
        self.refused(-1, node, "gettxout", NOBODY, -1)
        self.refused(-8, node, "getchaintxstats", 5)
        self.refused(-8, node, "getchaintxstats", -1)
        self.refused(-1, node, "getblockhash")
        self.refused(-1, node, "getblockcount", 1)
        self.refused(-32601, node, "nosuchmethod")
        self.refused(-22, node, "submitblock", "00")
        self.refused(-22, node, "submitblock", "zz")
        self.refused(-22, node, "submitheader", "00" * 79)
        self.refused(-25, node, "submitheader", "00" * 80)
        self.refused(-22, node, "sendrawtransaction", "00")
        self.refused(-22, node, "decoderawtransaction", "")
        self.refused(-8, node, "testmempoolaccept", [])
        self.refused(-5, node, "generatetoaddress", 1, "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0")
        self.refused(-8, node, "generatetoaddress", -1, node.call("getnewaddress"))
        self.refused(-1, node, "waitfornewblock", -1)
        self.refused(-32, node, "getbalance", "account")
        self.refused(-3, node, "getbalance", 1)
        self.refused(-11, node, "getnewaddress", "*")
        self.refused(-5, node, "getnewaddress", "", "bech33")

    def test_what_is_asked_of_coins(self):
        """The options of `listunspent`, and what `sendtoaddress` does not take together."""
        node = self.node()
        mine = node.call("getnewaddress", "", "bech32")
        node.generate(MATURITY + 2, mine)
        self.assertEqual(node.call("getbalance", "*"), 150)

        def listed(**options):
            return [coin["amount"] for coin in node.call("listunspent", 0, 9999999, [mine], True, options)]

        node.call("sendtoaddress", mine, 20)
        change = 50 - 20 - node.call("getmempoolinfo")["total_fee"]
        everything = sorted(coin["amount"] for coin in node.call("listunspent", 0))
        self.assertEqual(everything, sorted([20, change, 50, 50]))
        self.assertEqual(sorted(listed()), [20, 50, 50])
        self.assertEqual(listed(minimumAmount=20.00000001), [50, 50])
        self.assertEqual(listed(minimumAmount="50"), [50, 50])
        self.assertEqual(listed(maximumAmount=49.99999999), [20])
        self.assertEqual(len(listed(maximumCount=2)), 2)
        self.assertEqual(len(listed(maximumCount=0)), 3)
        self.assertEqual(len(listed(minimumSumAmount=0)), 1)
        self.assertEqual(len(listed(minimumAmount=50, minimumSumAmount=50.1)), 2)
        self.assertEqual(len(listed(include_immature_coinbase=True)), MATURITY + 2)
        self.assertEqual(len(listed(include_immature_coinbase=None)), 3)
        for code, options in [
            (-3, {"minimumamount": 1}),
            (-3, {"minimumAmount": -1}),
            (-3, {"maximumCount": "1"}),
            (-1, {"maximumCount": 1.5}),
            (-3, {"include_immature_coinbase": 1}),
        ]:
            self.refused(code, node, "listunspent", 0, 9, [], True, options)
        self.refused(-8, node, "listunspent", 0, 9, [mine, mine])
        self.refused(-5, node, "listunspent", 0, 9, ["nowhere"])

        pay = ("sendtoaddress", mine, 1, "", "", False, True)
        self.refused(-8, node, *pay, 6, None, False, 25)
        self.refused(-8, node, *pay, None, "economical", False, 25)
        self.refused(-8, node, *pay, 6, "cheap")
        self.refused(-3, node, *pay, None, None, False, "25.0001")
        for target in (-1, 0, 1009):
            self.refused(-8, node, *pay, target)
        self.assertEqual(node.call("getmempoolinfo")["size"], 1)
        for estimate in ((1008, "CONSERVATIVE"), (1, "economical"), (None, "unset", False, "25.001")):
            node.call(*pay, *estimate)
        self.assertEqual(node.call("getmempoolinfo")["size"], 4)

    def test_coins_and_transactions(self):
        node = self.node()
        mine = node.call("getnewaddress")
        valid = node.call("validateaddress", mine)
        self.shape("validateaddress", valid)
        self.assertTrue(mine.startswith("naka1p") and valid["isvalid"])
        invalid = node.call("validateaddress", mine[:-1])
        self.shape("validateaddress.invalid", invalid)
        self.assertFalse(invalid["isvalid"])

        self.assertEqual(node.call("getbalance"), 0)
        node.generate(MATURITY, mine)
        self.assertEqual(node.call("getbalance"), 50)
        node.generate(1, mine)
        self.assertEqual(node.call("getbalance"), 100)
        balances = node.call("getbalances")
        self.shape("getbalances", balances)
        self.shape("getbalances.mine", balances["mine"])
        self.assertEqual(balances["mine"], {"trusted": 100, "untrusted_pending": 0, "immature": 50 * (MATURITY - 1)})
        self.assertEqual(balances["lastprocessedblock"]["height"], MATURITY + 1)
        self.assertEqual(node.call("listwallets"), [""])
        wallet = node.call("getwalletinfo")
        self.shape("getwalletinfo", wallet)
        self.assertEqual((wallet["walletname"], wallet["txcount"]), ("", MATURITY + 1))
        unspent = node.call("listunspent")
        self.shape("listunspent", unspent[0])
        self.assertEqual([coin["amount"] for coin in unspent], [50, 50])
        self.assertEqual(len(node.call("listunspent", 1, 9999999, [mine])), 2)
        self.assertEqual(node.call("listunspent", 1, 9999999, [node.call("getnewaddress")]), [])

        theirs = self.node()
        payee = theirs.call("getnewaddress")
        txid = node.call("sendtoaddress", payee, 70)
        self.assertEqual(node.call("getrawmempool"), [txid])
        self.assertEqual(list(node.call("getrawmempool", True)), [txid])
        entry = node.call("getmempoolentry", txid)
        self.shape("getmempoolentry", entry)
        self.shape("getmempoolentry.fees", entry["fees"])
        info = node.call("getmempoolinfo")
        self.shape("getmempoolinfo", info)
        self.assertEqual((info["size"], info["total_fee"]), (1, entry["fees"]["base"]))
        raw = node.call("getrawtransaction", txid)
        shown = node.call("getrawtransaction", txid, 2)
        self.shape("getrawtransaction", shown)
        self.shape("vin", shown["vin"][0])
        self.shape("prevout", shown["vin"][0]["prevout"])
        self.shape("vout", shown["vout"][0])
        self.assertEqual(shown["hex"], raw)
        self.assertEqual(shown["fee"], entry["fees"]["base"])
        decoded = node.call("decoderawtransaction", raw)
        self.assertEqual(decoded["txid"], txid)
        paid = next(output for output in shown["vout"] if output["scriptPubKey"]["address"] == payee)
        self.assertEqual(paid["value"], 70)
        # A chain of unconfirmed payments: change is spent before it is confirmed.
        child = node.call("sendtoaddress", payee, 5)
        self.assertEqual(node.call("getmempoolentry", child)["depends"], [txid])
        self.assertEqual(node.call("getmempoolentry", txid)["spentby"], [child])
        offered = node.call("getblocktemplate")["transactions"]
        self.assertEqual([(one["txid"], one["depends"]) for one in offered], [(txid, []), (child, [1])])
        self.assertEqual(node.call("gettxout", txid, paid["n"])["confirmations"], 0)
        self.assertIsNone(node.call("gettxout", txid, paid["n"], False))
        spent = shown["vin"][0]
        self.assertIsNone(node.call("gettxout", spent["txid"], spent["vout"]))
        self.shape("gettxout", node.call("gettxout", spent["txid"], spent["vout"], False))

        self.assertEqual(node.call("sendrawtransaction", raw), txid)
        refused = node.call("testmempoolaccept", [raw])[0]
        self.shape("testmempoolaccept.refused", refused)
        self.assertEqual(refused["reject-reason"], "txn-already-in-mempool")
        self.assertEqual(theirs.call("testmempoolaccept", [raw])[0]["reject-reason"], "missing-inputs")
        self.refused(-25, theirs, "sendrawtransaction", raw)

        block = node.generate(1)[0]
        self.assertEqual(node.call("getrawmempool"), [])
        confirmed = node.call("getrawtransaction", txid, 1)
        self.assertEqual((confirmed["blockhash"], confirmed["confirmations"]), (block, 1))
        self.assertTrue(node.call("getrawtransaction", txid, 1, block)["in_active_chain"])
        self.refused(-27, node, "sendrawtransaction", raw)
        full = node.call("getblock", block, 3)
        self.assertEqual([one["txid"] for one in full["tx"][1:]], [txid, child])
        self.assertIn("fee", full["tx"][1])
        self.refused(-6, node, "sendtoaddress", payee, 1_000_000)
        self.refused(-3, node, "sendtoaddress", payee, 0)
        self.refused(-3, node, "sendtoaddress", payee, -1)
        self.refused(-5, node, "sendtoaddress", "nowhere", 1)

        # The other node takes the chain in block by block, and so learns of its payment.
        for height in range(1, node.call("getblockcount") + 1):
            data = node.call("getblock", node.call("getblockhash", height), 0)
            self.assertIsNone(theirs.call("submitblock", data))
            self.assertEqual(theirs.call("submitblock", data), "duplicate")
        self.assertEqual(theirs.call("getbalance"), 75)

        node.call("invalidateblock", block)
        self.assertEqual(set(node.call("getrawmempool")), {txid, child})
        node.call("reconsiderblock", block)
        self.assertEqual(node.call("getrawmempool"), [])
        accepted = node.call("sendtoaddress", payee, 1, "", "", True, True, None, "unset", None, 25)
        raw = node.call("getrawtransaction", accepted)
        allowed = theirs.call("testmempoolaccept", [raw])[0]
        self.shape("testmempoolaccept", allowed)
        self.shape("testmempoolaccept.fees", allowed["fees"])
        self.assertEqual(theirs.call("testmempoolaccept", [raw], "0.00000001")[0]["reject-reason"], "max-fee-exceeded")
        self.refused(-25, theirs, "sendrawtransaction", raw, "0.00000001")
        self.assertEqual(theirs.call("sendrawtransaction", raw), accepted)
        # Unless told otherwise, nothing is sent that pays more than 0.1 for 1,000 bytes.
        dear = node.call("sendtoaddress", payee, 1, "", "", False, True, None, "unset", None, 10_001)
        raw = node.call("getrawtransaction", dear)
        self.assertEqual(theirs.call("testmempoolaccept", [raw])[0]["reject-reason"], "max-fee-exceeded")
        self.refused(-25, theirs, "sendrawtransaction", raw)
        self.assertEqual(theirs.call("sendrawtransaction", raw, 0), dear)

    def test_mining(self):
        node = self.node()
        mine = node.call("getnewaddress")
        node.generate(MATURITY + 1, mine)
        first = node.call("sendtoaddress", mine, 1)
        second = node.call("sendtoaddress", mine, 2)
        info = node.call("getmininginfo")
        self.shape("getmininginfo", info)
        self.shape("getmininginfo.next", info["next"])
        self.assertEqual((info["blocks"], info["pooledtx"]), (MATURITY + 1, 2))
        template = node.call("getblocktemplate", {"rules": ["segwit"]})
        self.shape("getblocktemplate", template)
        self.shape("getblocktemplate.transactions", template["transactions"][0])
        self.assertEqual([one["txid"] for one in template["transactions"]], [first, second])
        fees = sum(one["fee"] for one in template["transactions"])
        self.assertEqual(template["coinbasevalue"], 50 * 10**8 + fees)
        # What a miner outside does: the header of the template, a nonce, the transactions behind it.
        block = self.solved(template)
        self.proposals(node, template, block)
        self.assertIsNone(node.call("submitblock", block))
        self.assertEqual(self.proposed(node, block), "duplicate")
        self.assertEqual(node.call("submitblock", block), "duplicate")
        self.assertEqual(node.call("getblockcount"), MATURITY + 2)
        self.assertEqual(node.call("getrawmempool"), [])

        # A header first, then its block; and a block that is none.
        template = node.call("getblocktemplate")
        block = self.solved(template)
        self.assertIsNone(node.call("submitheader", block[:160]))
        self.assertEqual(self.proposed(node, block), "duplicate-inconclusive")
        tips = {tip["status"]: tip for tip in node.call("getchaintips")}
        self.shape("getchaintips", tips["active"])
        self.assertEqual(tips["headers-only"]["branchlen"], 1)
        broken = block[:-2] + ("00" if block[-2:] != "00" else "01")
        self.refused(-22, node, "submitblock", broken)
        self.assertIsNone(node.call("submitblock", block))
        worked = bytearray.fromhex(self.solved(node.call("getblocktemplate")))
        worked[40] ^= 1
        self.assertIn(node.call("submitblock", worked.hex()), ("high-hash", "bad-txnmrklroot"))

        payment = node.call("sendtoaddress", mine, 3)
        made = node.call("generateblock", mine, [payment])
        self.assertEqual(node.call("getblock", made["hash"])["tx"][1], payment)
        made = node.call("generateblock", mine, [], False)
        self.assertNotEqual(node.call("getbestblockhash"), made["hash"])
        self.assertIsNone(node.call("submitblock", made["hex"]))
        self.refused(-5, node, "generateblock", mine, [payment])
        self.refused(-8, node, "getblocktemplate", {"mode": "other"})
        self.refused(-3, node, "getblocktemplate", {"mode": "proposal"})
        self.refused(-22, node, "getblocktemplate", {"mode": "proposal", "data": "00"})

    def proposed(self, node, data):
        """What the node says of a block whose nonce is not found yet."""
        return node.call("getblocktemplate", {"mode": "proposal", "data": data})

    def proposals(self, node, template, block):
        """BIP23, after Bitcoin Core's mining_basic.py: the block of a template, and what is wrong with others."""
        self.assertIn("proposal", template["capabilities"])
        self.assertIsNone(self.proposed(node, block))
        # Without its nonce, and as often as one likes: nothing is kept of it.
        unsolved = bytearray.fromhex(block)
        unsolved[76:80] = bytes(4)
        for _ in range(2):
            self.assertIsNone(self.proposed(node, unsolved.hex()))
        self.assertEqual(node.call("getblockcount"), template["height"] - 1)

        def header(place, value):
            changed = bytearray(unsolved)
            changed[place : place + len(value)] = value
            return self.proposed(node, changed.hex())

        self.assertEqual(header(4, bytes(32)), "inconclusive-not-best-prevblk")
        self.assertEqual(header(36, bytes(32)), "bad-txnmrklroot")
        self.assertEqual(header(72, bytes.fromhex("207ffffe")[::-1]), "bad-diffbits")
        self.assertEqual(header(68, (template["mintime"] - 1).to_bytes(4, "little")), "time-too-old")
        self.assertEqual(header(68, (2**32 - 1).to_bytes(4, "little")), "time-too-new")
        self.assertEqual(header(0, bytes(4)), "bad-version")
        short = unsolved[:80] + b"\x01" + bytes.fromhex(template["coinbasetxn"]["data"])
        self.assertEqual(self.proposed(node, short.hex()), "bad-txnmrklroot")
        self.assertEqual(self.proposed(node, unsolved[:80].hex() + "00"), "bad-txnmrklroot")

    def solved(self, template):
        """The block of a template, in hex."""
        header = template["version"].to_bytes(4, "little")
        header += bytes.fromhex(template["previousblockhash"])[::-1]
        header += bytes.fromhex(template["merkleroot"])[::-1]
        header += template["curtime"].to_bytes(4, "little")
        header += bytes.fromhex(template["bits"])[::-1]
        target = int(template["target"], 16)
        for nonce in range(2**32):
            tried = header + nonce.to_bytes(4, "little")
            digest = hashlib.sha256(hashlib.sha256(tried).digest()).digest()
            if int.from_bytes(digest, "little") <= target:
                break
        transactions = [template["coinbasetxn"], *template["transactions"]]
        count = len(transactions).to_bytes(1, "little")
        return (tried + count).hex() + "".join(one["data"] for one in transactions)

    def test_forks(self):
        node = self.node()
        common = node.generate(5)
        left = node.generate(2)
        node.call("invalidateblock", left[0])
        self.assertEqual(node.call("getbestblockhash"), common[-1])
        right = node.generate(2)
        tips = {tip["hash"]: tip for tip in node.call("getchaintips")}
        self.assertEqual(tips[left[1]]["status"], "invalid")
        self.assertEqual(tips[right[1]]["status"], "active")
        node.call("reconsiderblock", left[1])
        self.assertEqual(node.call("getbestblockhash"), right[1])
        tips = {tip["hash"]: tip for tip in node.call("getchaintips")}
        self.assertEqual((tips[left[1]]["status"], tips[left[1]]["branchlen"]), ("valid-fork", 2))
        header = node.call("getblockheader", left[0])
        self.assertEqual(header["confirmations"], -1)
        self.assertNotIn("nextblockhash", header)
        self.assertEqual(node.call("getblock", left[0], 3)["confirmations"], -1)
        coinbase = node.call("getblock", left[0])["tx"][0]
        self.refused(-5, node, "getrawtransaction", coinbase)
        shown = node.call("getrawtransaction", coinbase, 1, left[0])
        self.assertEqual((shown["in_active_chain"], shown["confirmations"]), (False, 0))
        self.refused(-8, node, "getchaintxstats", 1, left[0])
        self.assertEqual(node.call("gettxoutsetinfo", "none", left[1])["height"], 7)
        node.call("preciousblock", left[1])
        self.assertEqual(node.call("getbestblockhash"), left[1])
        node.call("preciousblock", right[1])
        self.assertEqual(node.call("getbestblockhash"), right[1])

    def test_waiting(self):
        node = self.node()
        tip = node.call("waitfornewblock", 1)
        self.shape("waitfornewblock", tip)
        self.assertEqual(tip["height"], 0)
        self.assertEqual(node.call("waitforblock", tip["hash"], 0), tip)
        self.assertEqual(node.call("waitforblockheight", 7, 1), tip)
        answers = []
        waiting = threading.Thread(target=lambda: answers.append(node.call("waitforblockheight", 3, 0)))
        waiting.start()
        hashes = node.generate(3)
        waiting.join(60)
        self.assertEqual(answers, [{"hash": hashes[2], "height": 3}])
        self.assertEqual(node.call("waitfornewblock", 60_000, hashes[1])["hash"], hashes[2])

    def test_peers(self):
        nodes = [self.node(), self.node()]
        nodes[0].generate(4)
        info = nodes[0].call("getnetworkinfo")
        self.shape("getnetworkinfo", info)
        self.shape("getnetworkinfo.networks", info["networks"][0])
        self.assertTrue(info["subversion"].startswith("/nakanet:"))
        local = info["localaddresses"][0]
        address = f"{local['address']}:{local['port']}"
        nodes[1].call("addnode", address, "add")
        self.refused(-23, nodes[1], "addnode", address, "add")
        self.assertEqual(nodes[1].call("waitforblockheight", 4, 60_000)["height"], 4)
        self.assertEqual(nodes[1].call("getconnectioncount"), 1)
        known = [node.call("getaddrmaninfo") for node in nodes[:2]]
        self.assertEqual(sorted(known[0]), sorted(["ipv4", "ipv6", "onion", "i2p", "cjdns", "all_networks"]))
        self.assertEqual(sorted(it["all_networks"]["total"] for it in known), [0, 1])
        peer = nodes[1].call("getpeerinfo")[0]
        self.shape("getpeerinfo", peer)
        self.assertEqual((peer["addr"], peer["inbound"], peer["synced_headers"]), (address, False, 4))
        self.assertGreater(peer["bytesrecv"], 0)
        self.assertTrue(nodes[0].call("getpeerinfo")[0]["inbound"])

        # Hung up on; dialled again, as it is wanted.
        before = nodes[1].call("getpeerinfo")[0]["conntime"]
        nodes[1].call("disconnectnode", address)
        self.until("connected again", lambda: nodes[1].call("getconnectioncount") == 1)
        self.assertGreaterEqual(nodes[1].call("getpeerinfo")[0]["conntime"], before)
        self.refused(-29, nodes[1], "disconnectnode", "127.0.0.1:1")
        self.refused(-8, nodes[1], "disconnectnode", address, 1)

        # Talks to nobody, and does not hear of blocks; then to everybody again.
        self.assertFalse(nodes[1].call("setnetworkactive", False))
        self.assertEqual(nodes[1].call("getconnectioncount"), 0)
        self.assertFalse(nodes[1].call("getnetworkinfo")["networkactive"])
        nodes[0].generate(1)
        self.assertEqual(nodes[1].call("getblockcount"), 4)
        self.assertTrue(nodes[1].call("setnetworkactive", True))
        self.assertEqual(nodes[1].call("waitforblockheight", 5, 60_000)["height"], 5)

        # Banned by address: gone, and refused.
        nodes[0].call("setban", "127.0.0.0/8", "add", 600)
        self.refused(-23, nodes[0], "setban", "127.0.0.0/8", "add")
        banned = nodes[0].call("listbanned")
        self.shape("listbanned", banned[0])
        self.assertEqual((banned[0]["address"], banned[0]["ban_duration"]), ("127.0.0.0/8", 600))
        self.assertEqual(nodes[0].call("getconnectioncount"), 0)
        self.until("refused", lambda: nodes[1].call("getconnectioncount") == 0)
        nodes[0].generate(1)
        self.assertEqual(nodes[1].call("getblockcount"), 5)
        nodes[0].call("setban", "127.0.0.0/8", "remove")
        self.refused(-30, nodes[0], "setban", "127.0.0.0/8", "remove")
        self.refused(-30, nodes[0], "setban", "300.1.1.1", "add")
        self.assertEqual(nodes[1].call("waitforblockheight", 6, 60_000)["height"], 6)
        nodes[0].call("setban", nodes[1].call("getnetworkinfo")["multiaddr"].split("/")[-1], "add")
        self.assertEqual(nodes[0].call("getconnectioncount"), 0)
        nodes[0].call("clearbanned")
        self.assertEqual(nodes[0].call("listbanned"), [])
        nodes[0].generate(1)
        self.assertEqual(nodes[1].call("waitforblockheight", 7, 60_000)["height"], 7)

        nodes[1].call("addnode", address, "remove")
        self.refused(-24, nodes[1], "addnode", address, "remove")
        nodes[1].call("disconnectnode", "", nodes[1].call("getpeerinfo")[0]["id"])
        self.assertEqual(nodes[1].call("getconnectioncount"), 0)
        nodes[1].call("addnode", address, "onetry")
        self.until("connected once", lambda: nodes[1].call("getconnectioncount") == 1)
        self.refused(-1, nodes[1], "addnode", address, "perhaps")
        self.refused(-8, nodes[1], "addnode", "nowhere", "add")

    def test_rest(self):
        node = self.node()
        hashes = node.generate(6)
        status, body = node.rest(f"headers/{hashes[1]}.bin?count=3")
        self.assertEqual((status, len(body)), (200, 240))
        self.assertEqual(body[:80].hex(), node.call("getblockheader", hashes[1], False))
        self.assertEqual(node.rest(f"headers/3/{hashes[1]}.hex")[1].decode().strip(), body.hex())
        shown = json.loads(node.rest(f"headers/2000/{hashes[1]}.json")[1])
        self.assertEqual([header["hash"] for header in shown], hashes[1:])
        self.shape("getblockheader", shown[0])
        raw = node.call("getblock", hashes[2], 0)
        self.assertEqual(node.rest(f"block/{hashes[2]}.bin")[1].hex(), raw)
        self.assertEqual(node.rest(f"block/{hashes[2]}.hex")[1].decode().strip(), raw)
        block = json.loads(node.rest(f"block/{hashes[2]}.json")[1])
        self.shape("getblock", block)
        txid = block["tx"][0]["txid"]
        self.assertEqual(json.loads(node.rest(f"block/notxdetails/{hashes[2]}.json")[1])["tx"], [txid])
        self.assertEqual(json.loads(node.rest(f"tx/{txid}.json")[1])["blockhash"], hashes[2])
        self.assertEqual(node.rest(f"tx/{txid}.hex")[1].decode().strip(), node.call("getrawtransaction", txid))
        self.shape("getblockchaininfo", json.loads(node.rest("chaininfo.json")[1]))
        self.assertEqual(json.loads(node.rest("blockhashbyheight/3.json")[1])["blockhash"], hashes[2])
        self.shape("getmempoolinfo", json.loads(node.rest("mempool/info.json")[1]))
        self.assertEqual(json.loads(node.rest("mempool/contents.json")[1]), {})
        # Headers of the chain that is followed are told, and no others.
        self.assertEqual(node.rest(f"headers/{NOBODY}.bin"), (200, b""))
        self.assertEqual(json.loads(node.rest(f"headers/{NOBODY}.json")[1]), [])
        for status, path in [
            (404, f"block/{NOBODY}.bin"),
            (404, f"tx/{NOBODY}.json"),
            (404, f"block/{hashes[2]}"),
            (404, f"block/{hashes[2]}.xml"),
            (404, "chaininfo.bin"),
            (404, "nothing.json"),
            (404, "blockhashbyheight/99.json"),
            (400, "block/00.bin"),
            (400, "blockhashbyheight/-1.json"),
            (400, f"headers/0/{hashes[1]}.bin"),
            (400, f"headers/2001/{hashes[1]}.bin"),
            (400, f"headers/99999999999999999999/{hashes[1]}.bin"),
            (404, "..%2f..%2fetc/passwd.bin"),
        ]:
            self.assertEqual(node.rest(path)[0], status, path)

    def test_batches_and_versions(self):
        node = self.node()
        count = {"method": "getblockcount", "params": [], "id": 1}
        status, body = node.post(json.dumps([count, {**count, "jsonrpc": "2.0", "id": "b"}, {**count, "method": "no"}, 7]))
        self.assertEqual(status, 200)
        answers = json.loads(body)
        self.assertEqual(answers[0], {"result": 0, "error": None, "id": 1})
        self.assertEqual(answers[1], {"jsonrpc": "2.0", "result": 0, "id": "b"})
        self.assertEqual((answers[2]["error"]["code"], answers[3]["error"]["code"]), (-32601, -32600))
        self.assertEqual(node.post("[]"), (200, b"[]\n"))
        notification = {"jsonrpc": "2.0", "method": "getblockcount"}
        self.assertEqual(node.post(json.dumps(notification)), (204, b""))
        self.assertEqual(node.post(json.dumps([notification, notification])), (204, b""))
        self.assertEqual(node.post(json.dumps({**count, "jsonrpc": "2.0", "method": "no"}))[0], 200)
        self.assertEqual(node.post(json.dumps({**count, "method": "no"}))[0], 404)
        self.assertEqual(node.post("{")[0], 500)
        named = {"method": "getblockhash", "params": {"height": 0}, "id": 1}
        self.assertEqual(json.loads(node.post(json.dumps(named))[1])["result"], node.call("getbestblockhash"))

    def test_what_was_answered_survives_a_kill(self):
        node = self.node()
        hashes = node.generate(70)
        address = node.call("getnewaddress")
        node.kill()
        node.start()
        self.assertEqual(node.call("getbestblockhash"), hashes[-1])
        self.assertEqual(node.call("getbalance"), 50 * (70 - MATURITY + 1))
        self.assertNotEqual(node.call("getnewaddress"), address)
        # A block that was submitted is on disk before its answer.
        for _ in range(5):
            block = node.call("generateblock", address, [], False)
            self.assertIsNone(node.call("submitblock", block["hex"]))
            node.kill()
            node.start()
            self.assertEqual(node.call("getbestblockhash"), block["hash"])

    def test_help_and_stop(self):
        node = self.node()
        listed = [line.split()[0] for line in node.call("help").splitlines() if line and not line.startswith("==")]
        for method in listed:
            self.assertTrue(node.call("help", method).startswith(method))
        self.assertEqual(node.call("help", "nothing"), "help: unknown command: nothing")
        self.assertEqual(node.call("help", ""), node.call("help"))
        self.assertEqual(node.call("stop"), "nakanet stopping")
        self.assertEqual(node.process.wait(timeout=60), 0)
        self.assertFalse((node.data / ".cookie").exists() or (node.data / "rpc.address").exists())
        Interface.listed = set(listed)


class Whole(unittest.TestSuite):
    """All tests, and then whether they called every method that `help` lists."""

    def run(self, result, debug=False):
        super().run(result, debug)
        uncalled = getattr(Interface, "listed", set()) - Interface.covered
        if uncalled and result.wasSuccessful():
            result.addFailure(Interface("test_help_and_stop"), (AssertionError, AssertionError(f"never called: {uncalled}"), None))
        return result


if __name__ == "__main__":
    unittest.TestLoader.suiteClass = Whole
    unittest.main(verbosity=2)
