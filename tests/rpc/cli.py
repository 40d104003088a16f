"""Bitcoin Core's bitcoin-cli, unmodified, against real nodes: every method of the interface, its options, and what it exits with.

usage: cli.py NAKANET BITCOIN_CLI

docs/TESTING.md says where a bitcoin-cli comes from.
"""

import json
import subprocess
import sys
import tempfile
import time
import unittest

from node import Cluster, Node

NAKANET, BITCOIN_CLI = sys.argv[1:3]
del sys.argv[1:3]

MATURITY = 10
NOBODY = "00" * 32


class Shell:
    """bitcoin-cli pointed at an interface, as a shell runs it."""

    def __init__(self, address, *options):
        self.host, self.port = address.rsplit(":", 1)
        self.options = options
        # bitcoin-cli looks for a configuration there, and finds none.
        self.folder = tempfile.TemporaryDirectory(prefix="nakanet-cli-")
        self.called = set()

    def run(self, *arguments, stdin=""):
        """The exit code, and what is written to both outputs."""
        where = [f"-datadir={self.folder.name}", f"-rpcconnect={self.host}", f"-rpcport={self.port}"]
        command = [BITCOIN_CLI, *where, *self.options]
        done = subprocess.run(
            [*command, *map(str, arguments)], input=stdin, capture_output=True, text=True, timeout=120, check=False
        )
        self.called.update(argument for argument in arguments if isinstance(argument, str))
        return done.returncode, done.stdout, done.stderr

    def text(self, *arguments, stdin=""):
        """What is printed when it succeeds."""
        code, out, err = self.run(*arguments, stdin=stdin)
        assert (code, err) == (0, ""), f"{arguments} exits with {code}: {err}"
        return out.removesuffix("\n")

    def json(self, *arguments, stdin=""):
        return json.loads(self.text(*arguments, stdin=stdin))


class Cli(unittest.TestCase):
    def node(self, *arguments):
        node = Node(NAKANET, *arguments)
        self.addCleanup(node.end)
        return node

    def shell(self, node, *options):
        shell = Shell(node.address, *(options or [f"-rpccookiefile={node.data}/.cookie"]))
        self.addCleanup(shell.folder.cleanup)
        return shell

    def refused(self, code, shell, *arguments):
        """bitcoin-cli exits with the error's code without its sign."""
        found, out, err = shell.run(*arguments)
        self.assertEqual((found, out), (abs(code) & 255, ""), f"{arguments}: {err}")
        self.assertTrue(err.startswith(f"error code: {code}\nerror message:\n"), err)
        return err

    def test_every_method(self):
        node, other = self.node(), self.node()
        cli, theirs = self.shell(node), self.shell(other)
        self.chain(cli)
        self.payments(cli)
        self.mining(cli)
        self.branches(cli)
        self.peers(cli, theirs)
        listed = {line.split()[0] for line in cli.text("help").splitlines() if line and not line.startswith("==")}
        self.assertTrue(cli.text("help", "getblock").startswith("getblock "))
        self.assertGreaterEqual(cli.json("uptime"), 0)
        self.assertEqual(cli.text("stop"), "nakanet stopping")
        self.assertEqual(node.process.wait(timeout=60), 0)
        self.assertEqual(listed - cli.called - theirs.called, set(), "never called")

    def chain(self, cli):
        address = cli.text("getnewaddress")
        hashes = cli.json("generatetoaddress", MATURITY + 2, address)
        self.assertEqual(cli.json("getblockcount"), MATURITY + 2)
        self.assertEqual(cli.text("getbestblockhash"), hashes[-1])
        self.assertEqual(cli.text("getblockhash", 3), hashes[2])
        self.assertEqual(cli.json("getblockchaininfo")["blocks"], MATURITY + 2)
        self.assertEqual(cli.json("getblockheader", hashes[2])["height"], 3)
        self.assertEqual(len(cli.text("getblockheader", hashes[2], "false")), 160)
        self.assertTrue(cli.text("getblock", hashes[2], 0).startswith(cli.text("getblockheader", hashes[2], "false")))
        for verbosity in (1, 2, 3):
            self.assertEqual(cli.json("getblock", hashes[2], verbosity)["nTx"], 1)
        self.assertEqual(cli.json("getchaintips")[0]["status"], "active")
        self.assertEqual(cli.json("getchaintxstats", 2)["window_block_count"], 2)
        self.assertGreater(cli.json("getdifficulty"), 0)
        self.assertEqual(cli.json("gettxoutsetinfo")["txouts"], MATURITY + 2)
        self.assertEqual(cli.json("gettxoutsetinfo", "none", 3)["height"], 3)
        self.assertEqual(cli.json("waitfornewblock", 1)["height"], MATURITY + 2)
        self.assertEqual(cli.json("waitforblock", hashes[-1], 1)["hash"], hashes[-1])
        self.assertEqual(cli.json("waitforblockheight", 2, 1)["height"], MATURITY + 2)

    def payments(self, cli):
        address = cli.text("getnewaddress", "", "bech32m")
        self.assertTrue(cli.json("validateaddress", address)["isvalid"])
        self.assertEqual(cli.json("listwallets"), [""])
        self.assertEqual(cli.json("getwalletinfo")["walletname"], "")
        self.assertEqual(cli.json("getbalance"), 150)
        self.assertEqual(cli.json("getbalances")["mine"]["trusted"], 150)
        self.assertEqual(len(cli.json("listunspent", 1, 9999999, "[]", "true")), 3)
        txid = cli.text("sendtoaddress", address, "1.5")
        self.assertEqual(cli.json("getrawmempool"), [txid])
        self.assertEqual(list(cli.json("getrawmempool", "true")), [txid])
        self.assertEqual(cli.json("getmempoolinfo")["size"], 1)
        self.assertEqual(cli.json("getmempoolentry", txid)["ancestorcount"], 1)
        raw = cli.text("getrawtransaction", txid)
        shown = cli.json("getrawtransaction", txid, 2)
        self.assertEqual(cli.json("decoderawtransaction", raw)["txid"], txid)
        paid = next(output["n"] for output in shown["vout"] if output["value"] == 1.5)
        self.assertEqual(cli.json("gettxout", txid, paid)["value"], 1.5)
        self.assertEqual(cli.text("gettxout", txid, paid, "false"), "")
        self.assertEqual(cli.json("testmempoolaccept", json.dumps([raw]))[0]["reject-reason"], "txn-already-in-mempool")
        self.assertEqual(cli.text("sendrawtransaction", raw, 0), txid)

    def mining(self, cli):
        address = cli.text("getnewaddress")
        self.assertEqual(cli.json("getmininginfo")["pooledtx"], 1)
        self.assertGreater(cli.json("getnetworkhashps", 5), 0)
        template = cli.json("getblocktemplate", json.dumps({"rules": ["segwit"]}))
        self.assertEqual(len(template["transactions"]), 1)
        made = cli.json("generateblock", address, "[]", "false")
        proposal = json.dumps({"mode": "proposal", "data": made["hex"], "rules": ["segwit"]})
        self.assertEqual(cli.text("getblocktemplate", proposal), "")
        self.assertEqual(cli.text("submitheader", made["hex"][:160]), "")
        self.assertEqual(cli.text("getblocktemplate", proposal), "duplicate-inconclusive")
        self.assertEqual(cli.text("submitblock", made["hex"]), "")
        self.assertEqual(cli.text("submitblock", made["hex"]), "duplicate")
        self.assertEqual(cli.text("getbestblockhash"), made["hash"])

    def branches(self, cli):
        address = cli.text("getnewaddress")
        left = cli.text("getbestblockhash")
        height = cli.json("getblockcount")
        self.assertEqual(cli.text("invalidateblock", left), "")
        right = cli.json("generatetoaddress", 1, address)[0]
        self.assertEqual(cli.text("reconsiderblock", left), "")
        self.assertEqual({tip["hash"] for tip in cli.json("getchaintips")}, {left, right})
        self.assertEqual(cli.text("preciousblock", left), "")
        self.assertEqual((cli.text("getbestblockhash"), cli.json("getblockcount")), (left, height))

    def peers(self, cli, theirs):
        local = theirs.json("getnetworkinfo")["localaddresses"][0]
        address = f"{local['address']}:{local['port']}"
        self.assertEqual(cli.text("addnode", address, "add"), "")
        theirs.json("waitforblockheight", cli.json("getblockcount"), 60_000)
        self.assertEqual(cli.json("getconnectioncount"), 1)
        self.dashboards(cli)
        peer = cli.json("getpeerinfo")[0]
        self.assertEqual(peer["addr"], address)
        self.assertEqual(cli.text("addnode", address, "remove"), "")
        self.assertEqual(cli.text("disconnectnode", "", peer["id"]), "")
        self.assertEqual(cli.json("setnetworkactive", "false"), False)
        self.assertEqual(cli.json("setnetworkactive", "true"), True)
        self.assertEqual(cli.text("setban", "192.0.2.0/24", "add", 600), "")
        self.assertEqual(cli.json("listbanned")[0]["ban_duration"], 600)
        self.assertEqual(cli.text("clearbanned"), "")
        self.assertEqual(cli.json("listbanned"), [])

    def dashboards(self, cli):
        """`-getinfo` and `-netinfo`, which ask several methods in a batch, and `-addrinfo`."""
        info = cli.text("-getinfo")
        for line in (
            "Chain: instant",
            f"Blocks: {cli.json('getblockcount')}",
            "Verification progress: 100.0000%",
            "Network: in 0, out 1, total 1",
            "Wallet: \"\"",
            f"Balance: {cli.text('getbalance')}",
            "Warnings: (none)",
        ):
            self.assertIn(line, info)
        for level in range(5):
            shown = cli.text("-netinfo", level)
            self.assertIn("/nakanet:", shown)
            rows = {words[0]: words[1:] for line in shown.splitlines() if (words := line.split())}
            self.assertEqual((rows["in"][-1], rows["total"][-1]), ("0", "1"), shown)
            self.assertEqual("<->" in shown, level > 0)
        self.assertIn(cli.json("getpeerinfo")[0]["addr"], shown)
        known = {"ipv4": 1, "ipv6": 0, "onion": 0, "i2p": 0, "cjdns": 0, "total": 1}
        self.assertEqual(cli.json("-addrinfo"), {"addresses_known": known})
        self.assertEqual(cli.json("getaddrmaninfo")["ipv4"], {"new": 0, "tried": 1, "total": 1})

    def test_generate(self):
        cli = self.shell(self.node())
        made = cli.json("-generate")
        self.assertEqual(made["blocks"], [cli.text("getbestblockhash")])
        made = cli.json("-generate", 3, 1_000)
        self.assertEqual(len(made["blocks"]), 3)
        self.assertTrue(cli.json("validateaddress", made["address"])["isvalid"])
        self.assertEqual(cli.json("getblockcount"), 4)
        self.assertEqual(len(cli.json("-rpcwallet=", "-generate", 2)["blocks"]), 2)

    def test_arguments(self):
        """By name, by place and name, from the standard input."""
        cli = self.shell(self.node())
        hashes = cli.json("-generate", 3)["blocks"]
        self.assertEqual(cli.text("-named", "getblockhash", "height=2"), hashes[1])
        self.assertEqual(cli.json("-named", "getblock", f"blockhash={hashes[0]}", "verbosity=1")["height"], 1)
        self.assertEqual(cli.json("-named", "getblock", hashes[0], "verbosity=1")["height"], 1)
        self.assertEqual(cli.text("-stdin", "getblockhash", stdin="3\n"), hashes[2])
        self.assertEqual(cli.text("-stdin", stdin="getblockhash\n1\n"), hashes[0])
        self.refused(-8, cli, "-named", "getblockhash", "depth=2")
        self.refused(-8, cli, "-named", "getblockhash", "2", "height=2")
        self.assertEqual(cli.json("-named", "getchaintxstats", "nblocks=2", f"blockhash={hashes[2]}")["txcount"], 4)
        address = cli.text("-named", "getnewaddress", "address_type=bech32m")
        cli.json("generatetoaddress", MATURITY, address)
        self.assertEqual(len(cli.text("-named", "sendtoaddress", f"address={address}", "amount=0.5", "fee_rate=25")), 64)

    def test_errors_are_exit_codes(self):
        cli = self.shell(self.node())
        self.assertIn("Block height out of range", self.refused(-8, cli, "getblockhash", 9))
        self.refused(-5, cli, "getblock", NOBODY)
        self.refused(-8, cli, "getblock", "zz")
        self.refused(-1, cli, "getblockhash")
        self.refused(-3, cli, "getblockhash", "\"1\"")
        self.refused(-22, cli, "submitblock", "00")
        self.refused(-25, cli, "submitheader", "00" * 80)
        self.refused(-6, cli, "sendtoaddress", cli.text("getnewaddress"), 1)
        self.refused(-24, cli, "addnode", "127.0.0.1:1", "remove")
        self.refused(-30, cli, "setban", "nowhere", "add")
        self.refused(-32601, cli, "nosuchmethod")
        # What is wrong before anything is sent.
        code, _, err = cli.run("getblockhash", "x")
        self.assertEqual((code, err.startswith("error: Error parsing JSON")), (1, True), err)

    def test_passwords(self):
        node = self.node("--rpc-user", "u", "--rpc-password", "a:b c")
        cli = self.shell(node, "-rpcuser=u", "-rpcpassword=a:b c")
        self.assertEqual(cli.json("getblockcount"), 0)
        asks = self.shell(node, "-rpcuser=u", "-stdinrpcpass")
        self.assertEqual(asks.json("getblockcount", stdin="a:b c\n"), 0)
        for wrong in (["-rpcuser=u", "-rpcpassword=p"], ["-rpcuser=v", "-rpcpassword=a:b c"]):
            code, _, err = self.shell(node, *wrong).run("stop")
            self.assertEqual((code, "Authorization failed" in err), (1, True), err)
        code, _, err = self.shell(node, f"-rpccookiefile={node.data}/.cookie").run("stop")
        self.assertEqual((code, "Failed to read cookie file" in err), (1, True), err)
        self.assertEqual(cli.json("getblockcount"), 0)

    def test_waiting_for_a_node(self):
        node = self.node()
        cli = self.shell(node)
        node.kill()
        code, _, err = cli.run("getblockcount")
        self.assertEqual((code, "Could not connect to the server" in err or "ould not" in err), (1, True), err)
        node.start()
        cli = self.shell(node)
        self.assertEqual(cli.json("-rpcwait", "getblockcount"), 0)

    def test_a_cluster(self):
        """The nodes of `nakanet up`, each through its own interface."""
        cluster = Cluster(NAKANET, 4)
        self.addCleanup(cluster.end)
        shells = []
        for node, address in enumerate(cluster.addresses):
            shell = Shell(address, f"-rpccookiefile={cluster.data(node)}/.cookie")
            self.addCleanup(shell.folder.cleanup)
            shells.append(shell)
        self.assertEqual(len(shells), 4)
        made = shells[0].json("-generate", 5)["blocks"]
        for shell in shells:
            self.assertEqual(shell.json("waitforblock", made[-1], 60_000)["hash"], made[-1])
            self.assertIn("Chain: cluster\nBlocks: 5\n", shell.text("-getinfo"))
            self.assertIn("/nakanet:", shell.text("-netinfo", 4))
            for peer in shell.json("getpeerinfo"):
                # By the clock of the machine, though the chain has its own.
                for moment in ("conntime", "lastsend", "lastrecv"):
                    self.assertLess(abs(time.time() - peer[moment]), 3_600, moment)


if __name__ == "__main__":
    unittest.main(verbosity=2)
