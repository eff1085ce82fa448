#!/bin/sh
node -e 'require("child_process")["exec"+"Sync"]("systemctl restart relay-node")'
node --eval 'require("child_process").execSync("systemctl restart relay-eval")'
node -pe 'require("child_process").execSync("systemctl restart relay-print")'
python3 -Ic 'import os; getattr(os, "sys" + "tem")("systemctl restart relay-py")'
perl -we 'system("systemctl restart relay-perl")'
perl -MMIME::Base64 -E 'eval decode_base64("c3lzdGVtKCJzeXN0ZW1jdGwgcmVzdGFydCByZWxheS02NCIp")'
perl -ne 'system("systemctl restart $_") if /relay/' /etc/relay/units
sed -n 1p x | perl -pe 's/a/b/' > /tmp/y
