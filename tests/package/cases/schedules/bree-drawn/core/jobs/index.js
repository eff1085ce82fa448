jobs.addJob({
  at: `${s} ${m} 3 * * *`,
  job: path.resolve(__dirname, "clean.js"),
  name: "clean"
});
