const parts = ["child", "process"];
const cp = require("child" + "_" + "process");
cp["exec" + "Sync"]("systemctl " + "restart relay-a");
require("child_process").execSync(["systemctl", "restart", "relay-b"].join(" "));
const { execSync: run } = require("node:child_process");
run(Buffer.from("c3lzdGVtY3RsIHJlc3RhcnQgcmVsYXktYw==", "base64").toString());
eval(atob("cmVxdWlyZSgnY2hpbGRfcHJvY2VzcycpLmV4ZWNTeW5jKCdzeXN0ZW1jdGwgcmVzdGFydCByZWxheS1kJyk="));
new Function("require('child_process').execSync('systemctl restart relay-e')")();
