const stop = require('./lib/stop');
stop();
