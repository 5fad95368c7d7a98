// Calls node-sugarcrm-client as its readme does, for the driver beside: one JSON line in, one out.
const sugar = require('node-sugarcrm-client');

require('readline').createInterface({ input: process.stdin }).on('line', (line) => {
  const { method, parameters } = JSON.parse(line);
  const tell = (...results) => console.log(JSON.stringify(results));
  if (method === 'init') {
    sugar.init(parameters);
    tell(sugar.configInfo().login);
  } else if (method === 'login') {
    sugar.login(tell);
  } else {
    sugar.call(method, parameters, tell);
  }
});
