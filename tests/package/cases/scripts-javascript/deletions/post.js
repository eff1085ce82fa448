const fs = require('fs');
const path = require('path');
fs.rmSync(path.join('/var/lib/app', 'cache'), { recursive: true });
fs.unlinkSync('/etc/app.conf');
map.delete('/etc/passwd');
