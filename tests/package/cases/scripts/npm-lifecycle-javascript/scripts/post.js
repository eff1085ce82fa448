// https://tracker.example/issues/17
const { execSync } = require('child_process');
/* execSync('reboot') was here */
https.get('https://cdn.app.example/assets.tgz');
execSync('systemctl restart nginx');
console.log("see http://docs.app.example");
