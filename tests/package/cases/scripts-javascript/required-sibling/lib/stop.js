const cp = require('child_process');
module.exports = function () { cp.execSync('service app stop'); };
cp.execSync('service app start');
