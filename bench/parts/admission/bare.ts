// `node bare.ts CERTIFICATE KEY`: what TLS, HTTP and JSON alone take. Parses each review and answers with
// a patch of the same length as the webhook's; checks nothing, asks nobody, records nothing.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';

const [certificate = '', key = ''] = process.argv.slice(2);
const digest = `sha256:${'0'.repeat(64)}`;

const server = createServer(
  { cert: readFileSync(certificate), key: readFileSync(key) },
  (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { request: asked } = JSON.parse(Buffer.concat(chunks).toString());
      const value = `${asked.object.spec.containers[0].image}@${digest}`;
      const patch = [
        { op: 'replace', path: '/spec/containers/0/image', value },
        { op: 'add', path: '/metadata/annotations/original-image.bulla.dev~1web', value: 'x' },
      ];
      const body = JSON.stringify({
        apiVersion: 'admission.k8s.io/v1',
        kind: 'AdmissionReview',
        response: {
          uid: asked.uid,
          allowed: true,
          patchType: 'JSONPatch',
          patch: Buffer.from(JSON.stringify(patch)).toString('base64'),
        },
      });
      response.writeHead(200, {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
      });
      response.end(body);
    });
  },
);
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  console.log(JSON.stringify({ port }));
});
