/**
 * Row F12 of the reliability table: many streams that hear nothing but pings. The memory before is that with 1,000 streams open, when it has come to rest: without these the
 * garbage of the server's start would be given back during the measurement. At the end every stream still gets its events.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { cpuSeconds, residentBytes } from '../kit/proc.mjs';
import { createKey, freePort, makeFolder, startTidewire } from '../kit/product.mjs';
import { median } from '../kit/statistics.mjs';
import { startFleet } from '../streams/fleet.mjs';
import { sample } from './probe.mjs';
import { startPublisher } from './publisher.mjs';

const firstStreams = 1_000;
const restSeconds = 60;

export const steadyStreams = {
  name: 'steady-streams',
  title: 'F12: streams that hear nothing',
  defaults: { streams: 10_000, rate: 5, seconds: 900, bytes: 200 },

  /** @param {import('./load.mjs').Context} context `rate`: of the events at the end */
  async run({ streams, rate, seconds, bytes, processes, say, onCleanup }) {
    const folder = makeFolder('steady-streams');
    onCleanup(folder.remove);
    const server = await startTidewire({ dataDir: folder.path, port: await freePort() });
    const key = await createKey({ dataDir: folder.path, name: 'load' });
    const { port, pid } = server;
    const fleet = {
      dialect: /** @type {const} */ ('tidewire'),
      port,
      path: '/realtime',
      headers: { 'x-apikey': key },
      processes,
    };
    const first = await startFleet({ ...fleet, subscribers: firstStreams });
    await delay(Math.min(restSeconds, seconds) * 1000);
    const before = residentBytes(pid);
    const second = await startFleet({ ...fleet, subscribers: streams });
    const peakAtOpening = residentBytes(pid);
    say(`${streams} streams beside the first ${firstStreams}; ${seconds} s`);
    const memory = sample(1_000, () => residentBytes(pid));
    const cpu = cpuSeconds([pid]);
    for (let passed = 0; passed < seconds; passed += 60) {
      await delay(Math.min(60, seconds - passed) * 1000);
      say(`${Math.min(seconds, passed + 60)} s: ${((memory.values.at(-1) ?? 0) / 1024 ** 2).toFixed(0)} MiB`);
    }
    const share = ((cpuSeconds([pid]) - cpu) / seconds) * 100;
    const resident = memory.stop();
    const publisher = startPublisher({ port, key, rate, bytes });
    await delay(2_000);
    await publisher.stop();
    const reports = [await first.reach(publisher.state.sent), await second.reach(publisher.state.sent)];
    await Promise.all([first.stop(), second.stop()]);
    const end = await server.stop({ graceMs: 30_000 });
    const faults = [...publisher.state.faults, ...reports.flatMap((report) => report.faults)];
    if (end !== 'code 0') faults.push(`the server ended with ${end}: ${server.output().slice(-1000)}`);
    const perStream = (bytesNow) => (bytesNow - before) / streams / 1024;
    if (perStream(Math.max(...resident)) <= 0) faults.push('the memory did not grow: nothing was measured');
    return {
      faults,
      figures: [
        { what: 'streams that were measured', value: streams },
        { what: 'memory before, MiB', value: before / 1024 ** 2 },
        { what: 'KiB per stream when the last was open', value: perStream(peakAtOpening) },
        {
          what: 'KiB per stream at the peak',
          value: perStream(Math.max(...resident, peakAtOpening)),
          atMost: 20,
          isFault: true,
        },
        { what: 'KiB per stream, median of the last minute', value: perStream(median(resident.slice(-60))) },
        { what: `percent of a processor, ${streams + firstStreams} streams`, value: share, atMost: 5 },
        { what: 'events at the end', value: publisher.state.sent },
      ],
    };
  },
};
