module.exports = {addTable: (n) => addTable(n)};
