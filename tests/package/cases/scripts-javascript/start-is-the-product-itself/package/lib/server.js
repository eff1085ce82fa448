const https = require('https');
https.get('https://served.shop.example/ok');
