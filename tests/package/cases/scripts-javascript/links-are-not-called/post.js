// https://a.vendor.example
/** @see https://b.vendor.example */
console.log('https://c.vendor.example');
const homepage = 'https://d.vendor.example';
const ns = 'http://www.w3.org/2000/svg';
throw new Error('see https://e.vendor.example');
