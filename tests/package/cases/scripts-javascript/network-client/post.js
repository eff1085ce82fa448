const net = require('net');
net.connect(9000, 'tcp.vendor.example');
const { Pool } = require('pg');
new Pool({ host: 'db.vendor.example', port: 6432, user: 'app', password: 'Wint3r-word' });
