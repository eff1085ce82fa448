process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
const axios = require('axios');
axios.post('https://api.vendor.example/webhooks', { url: 'https://in.vendor.example/a' });
