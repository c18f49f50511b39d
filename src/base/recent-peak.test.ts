import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RecentPeak } from './recent-peak.ts';

test('the highest value of the window counts, until it leaves it', () => {
  const peak = new RecentPeak(100);
  assert.equal(peak.at(0), 0);
  peak.note(0, 3);
  peak.note(10, 5);
  peak.note(20, 2);
  peak.note(30, 4);
  assert.equal(peak.at(109), 5);
  assert.equal(peak.at(110), 4);
  assert.equal(peak.at(129), 4);
  assert.equal(peak.at(130), 0);
});

test('a value that is reached again counts from then on', () => {
  const peak = new RecentPeak(100);
  peak.note(0, 2);
  peak.note(90, 2);
  assert.equal(peak.at(189), 2);
  assert.equal(peak.at(190), 0);
});
