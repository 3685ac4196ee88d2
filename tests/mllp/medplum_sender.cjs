// Sends ORU^R01 messages with the npm package @medplum/hl7, a foreign MLLP client, and prints one line per acknowledgment.
// node medplum_sender.cjs PACKAGE_FOLDER PORT MESSAGES CONNECTIONS
const { createRequire } = require('node:module');
const [folder, port, messages, connections] = process.argv.slice(2);
const foreign = createRequire(folder + '/package.json');
const { Hl7Client } = foreign('@medplum/hl7');
const { Hl7Message } = foreign('@medplum/core');
const NAMES = ['Müller^Jürgen', 'Žižka^Šárka', 'Ølgaard^Åse', '山田^花子', 'Παπαδόπουλος^Ελένη', 'Nguyễn^Thị Ánh'];

function message(number) {
  const id = `NODE-${number}`;
  return Hl7Message.parse([
    `MSH|^~\\&|MEDPLUM|NODE|CSFINTERP|HOSP|20260301100000||ORU^R01^ORU_R01|${id}|P|2.5.1||||||UNICODE UTF-8`,
    `PID|1||MRN-${id}^^^HOSP^MR||${NAMES[number % NAMES.length]}||19740423|F`,
    `OBR|1|PO-${id}|FO-${id}|34564-5^Cell count panel - CSF^LN|||20260301092000||||||||||||||||||F`,
    'OBX|1|NM|26465-5^Leukocytes [#/volume] in CSF^LN||31|/uL|0-4|H|||F',
    `NTE|1||Befund für ${NAMES[number % NAMES.length]} – geprüft, µL`,
    `SPM|1|ACC-${id}||CSF^Cerebral spinal fluid^HL70487||||LUMB^lumbar^L`,
  ].join('\r'));
}

async function main() {
  const clients = Array.from({ length: Number(connections) }, () =>
    new Hl7Client({ host: '127.0.0.1', port: Number(port), encoding: 'utf-8', keepAlive: true }));
  await Promise.all(clients.map((client) => client.connect()));
  await Promise.all(Array.from({ length: Number(messages) }, async (_, number) => {
    const reply = await clients[number % clients.length].sendAndWait(message(number), { timeoutMs: 120000 });
    const msa = reply.getSegment('MSA');
    console.log(`NODE-${number} ${msa.getField(1)} ${msa.getField(2)}`);
  }));
  await Promise.all(clients.map((client) => client.close()));
}

// The client's timers outlive the answers, so the process is ended.
main().then(() => process.exit(0), (error) => {
  console.error(error);
  process.exit(1);
});
