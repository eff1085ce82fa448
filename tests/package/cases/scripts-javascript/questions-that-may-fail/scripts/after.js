const { execSync } = require('child_process');
const fs = require('fs');

let translated = '';
try {
  translated = execSync('sysctl -n sysctl.proc_translated').toString();
} catch {
  // not this system
}
try {
  fs.renameSync('a', 'b');
} catch {}
execSync('systemctl restart ledger');
