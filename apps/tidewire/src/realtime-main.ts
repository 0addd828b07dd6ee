/** The program of a realtime process; the server starts it (REALTIME_PROCESSES). */
import { runRealtimeProcess } from './realtime-processes/realtime-process.js';

runRealtimeProcess(process);
