function fetchIt(host, path = '/x') {
  return fetch('https://' + host + path, { method: 'POST' });
}
for (const h of ['a.vendor.example', 'b.vendor.example']) fetchIt(h);
