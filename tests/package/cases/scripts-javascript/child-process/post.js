const { execSync, spawn: run } = require('node:child_process');
const unit = 'app-web';
execSync(`systemctl restart ${unit}`);
run('systemctl', ['stop', 'app-' + 'worker']);
/re/.exec('reboot');
