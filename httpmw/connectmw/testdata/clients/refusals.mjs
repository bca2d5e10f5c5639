// Calls a server as clients of JavaScript do and prints, a line of JSON for each
// call, what the client reads of the answer:
//
//	node refusals.mjs '[{"server": "grpcmw", "target": "127.0.0.1:1", "connect": false}]' \
//		'{"no token": "", "lacking": "…"}'

import { BinaryReader } from "@bufbuild/protobuf/wire";
import { EmptySchema } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import {
  createConnectTransport, createGrpcTransport, createGrpcWebTransport,
} from "@connectrpc/connect-node";
import grpc from "@grpc/grpc-js";

const service = "grpc.testing.TestService";
const procedures = { unary: "UnaryCall", stream: "StreamingOutputCall" };

// fields reads the fields of a protobuf message by number: its strings, bytes
// and numbers, each as it is found.
function fields(bytes) {
  const reader = new BinaryReader(bytes);
  const found = {};
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    const value = wireType === 2 ? reader.bytes() : (reader.skip(wireType, number), undefined);
    (found[number] ??= []).push(value);
  }
  return found;
}

const text = (bytes) => (bytes ? new TextDecoder().decode(bytes) : "");

// errorInfo reads a google.rpc.ErrorInfo.
function errorInfo(bytes) {
  const info = fields(bytes);
  const metadata = {};
  for (const entry of info[3] ?? []) {
    const pair = fields(entry);
    metadata[text(pair[1]?.[0])] = text(pair[2]?.[0]);
  }
  return { reason: text(info[1]?.[0]), domain: text(info[2]?.[0]), metadata };
}

// withDetails adds what the details of an error say.
function withDetails(answer, details) {
  for (const { type, value } of details) {
    if (type === "google.rpc.ErrorInfo") Object.assign(answer, errorInfo(value));
    if (type === "google.rpc.RetryInfo") answer.retry = true;
  }
  return answer;
}

function callGRPC(target, kind, token) {
  const client = new grpc.Client(target, grpc.credentials.createInsecure());
  const metadata = new grpc.Metadata();
  if (token) metadata.set("authorization", "Bearer " + token);
  const path = `/${service}/${procedures[kind]}`;
  const same = (buffer) => buffer;
  return new Promise((resolve) => {
    const answer = { code: "ok", message: "", challenge: "", pushback: "" };
    const done = (error) => {
      client.close();
      if (!error) return resolve(answer);
      answer.code = grpc.status[error.code].toLowerCase();
      answer.message = error.details;
      answer.pushback = String(error.metadata.get("grpc-retry-pushback-ms")[0] ?? "");
      const status = error.metadata.get("grpc-status-details-bin")[0];
      const details = status ? (fields(status)[3] ?? []).map((any) => {
        const { 1: [url], 2: [value] } = fields(any);
        return { type: text(url).split("/").pop(), value };
      }) : [];
      resolve(withDetails(answer, details));
    };
    const options = { deadline: Date.now() + 20000 };
    let call;
    if (kind === "unary") {
      call = client.makeUnaryRequest(path, same, same, Buffer.alloc(0), metadata, options, done);
    } else {
      call = client.makeServerStreamRequest(path, same, same, Buffer.alloc(0), metadata, options);
      let failed = false;
      call.on("data", () => {});
      call.on("error", (error) => { failed = true; done(error); });
      call.on("end", () => { if (!failed) setTimeout(() => failed || done(null), 50); });
    }
    call.on("metadata", (header) => {
      answer.challenge = String(header.get("www-authenticate")[0] ?? "");
    });
  });
}

async function callConnect(transport, kind, token) {
  const parent = { kind: "service", typeName: service, methods: [] };
  const method = {
    kind: "rpc", name: procedures[kind], localName: procedures[kind], parent,
    methodKind: kind === "unary" ? "unary" : "server_streaming",
    input: EmptySchema, output: EmptySchema, idempotency: 0, deprecated: false,
  };
  const header = token ? { authorization: "Bearer " + token } : {};
  const answer = { code: "ok", message: "", challenge: "", pushback: "" };
  const input = { $typeName: EmptySchema.typeName };
  try {
    if (kind === "unary") {
      await transport.unary(method, undefined, 20000, header, input);
      return answer;
    }
    const response = await transport.stream(
      method, undefined, 20000, header, (async function* () { yield input; })());
    answer.challenge = response.header.get("www-authenticate") ?? "";
    for await (const _ of response.message);
    return answer;
  } catch (caught) {
    const error = ConnectError.from(caught);
    answer.code = Code[error.code].replace(/[A-Z]/g, (c, i) => (i ? "_" : "") + c.toLowerCase());
    answer.message = error.rawMessage;
    answer.challenge ||= error.metadata.get("www-authenticate") ?? "";
    answer.pushback = error.metadata.get("retry-after") ??
      error.metadata.get("grpc-retry-pushback-ms") ?? "";
    return withDetails(answer, error.details);
  }
}

const [servers, tokens] = process.argv.slice(2).map((argument) => JSON.parse(argument));
for (const { server, target, connect } of servers) {
  const options = { baseUrl: "http://" + target, httpVersion: "2" };
  const clients = { "grpc-js": (kind, token) => callGRPC(target, kind, token) };
  const through = (transport) => (kind, token) => callConnect(transport, kind, token);
  clients["connect-node, gRPC"] = through(createGrpcTransport(options));
  if (connect) {
    clients["connect-node, Connect"] = through(createConnectTransport(options));
    clients["connect-node, gRPC-Web"] = through(createGrpcWebTransport(options));
  }
  for (const [client, call] of Object.entries(clients)) {
    for (const kind of Object.keys(procedures)) {
      for (const [name, token] of Object.entries(tokens)) {
        console.log(JSON.stringify({ server, client, kind, case: name, ...await call(kind, token) }));
      }
    }
  }
}
process.exit(0);
