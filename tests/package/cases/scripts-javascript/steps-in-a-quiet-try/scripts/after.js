const { execSync } = require('child_process');

try {
  execSync('npx knex migrate:latest');
} catch (error) {}
execSync('systemctl restart ledger');
