const https = require('https');
https.get('https://after.shop.example/ok');
