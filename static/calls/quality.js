// What is measured during a call: for the person, how it is now; for the record, how it was.

const LOSS_LIMIT = 8; // Percent; from here on people notice it.
const ROUND_TRIP_LIMIT = 500; // Milliseconds.

export class Quality {
  constructor() {
    this.before = null;
    this.last = null;
    this.trips = [];
  }

  /** Return whether nothing has come since the last measurement; on hold nothing needs to. */
  isSilentSince(measured) {
    return !this.before || measured.bytes === this.before.bytes;
  }

  /** `measured` is of Connection.measure(). Return whether the network is bad now. */
  add(measured) {
    const { before } = this;
    this.before = measured;
    this.last = measured;
    if (measured.roundTrip !== null) this.trips.push(measured.roundTrip);
    if (!before) return false;
    const [packets, lost] = [measured.packets - before.packets, measured.lost - before.lost];
    const isLossy = lost > 0 && (100 * lost) / (lost + Math.max(packets, 0)) > LOSS_LIMIT;
    return isLossy || measured.bytes === before.bytes || measured.roundTrip > ROUND_TRIP_LIMIT;
  }

  /** Return {loss, round_trip} of the call so far, in percent and milliseconds. */
  get whole() {
    const { packets = 0, lost = 0 } = this.last ?? {};
    const sum = packets + lost;
    const trip = this.trips.length ? this.trips.reduce((all, one) => all + one, 0) / this.trips.length : null;
    return {
      loss: sum ? Math.round((10_000 * lost) / sum) / 100 : null,
      round_trip: trip === null ? null : Math.round(trip),
    };
  }
}
