/** Endpoints of segments, constraints and distributions. */
import { partOf, recordOf } from '../edits/edit-flag.ts';
import {
  readConstraintInput,
  readDistributionsInput,
  readSegmentInput,
  readSegmentOrder,
} from '../edits/inputs.ts';
import {
  createConstraint,
  createSegment,
  deleteConstraint,
  deleteSegment,
  putDistributions,
  reorderSegments,
  updateConstraint,
  updateSegment,
} from '../edits/segments.ts';
import type { FlagSource } from '../sources/contract.ts';
import { constraintResponse, distributionResponse, segmentResponse } from './responses.ts';
import { type Ask, type Route, reads, writes } from './route.ts';

const SEGMENTS = '/flags/:flagID/segments';
const SEGMENT = `${SEGMENTS}/:segmentID`;
const CONSTRAINTS = `${SEGMENT}/constraints`;
const CONSTRAINT = `${CONSTRAINTS}/:constraintID`;
const DISTRIBUTIONS = `${SEGMENT}/distributions`;

export function segmentRoutes(source: FlagSource): readonly Route[] {
  const flagOf = ({ id }: Ask) => recordOf(source.catalogue, id('flagID')).flag;
  const segmentOf = (ask: Ask) => partOf(flagOf(ask).segments, ask.id('segmentID'), 'Segment');
  const where = ({ id }: Ask) => [id('flagID'), id('segmentID')] as const;

  return [
    reads(SEGMENTS, (ask) => {
      const { id, segments } = flagOf(ask);
      return { json: segments.map((segment) => segmentResponse(id, segment)) };
    }),
    writes('POST', SEGMENTS, async ({ id, body }) => {
      const flagID = id('flagID');
      const segment = await source.edit(createSegment(flagID, readSegmentInput(await body())));
      return { json: segmentResponse(flagID, segment) };
    }),
    writes('PUT', `${SEGMENTS}/reorder`, async ({ id, body }) => {
      await source.edit(reorderSegments(id('flagID'), readSegmentOrder(await body())));
      return {};
    }),
    reads(SEGMENT, (ask) => ({ json: segmentResponse(ask.id('flagID'), segmentOf(ask)) })),
    writes('PUT', SEGMENT, async (ask) => {
      const segment = await source.edit(updateSegment(...where(ask), readSegmentInput(await ask.body())));
      return { json: segmentResponse(ask.id('flagID'), segment) };
    }),
    writes('DELETE', SEGMENT, async (ask) => {
      await source.edit(deleteSegment(...where(ask)));
      return {};
    }),
    reads(CONSTRAINTS, (ask) => {
      const { id, constraints } = segmentOf(ask);
      return { json: constraints.map((constraint) => constraintResponse(id, constraint)) };
    }),
    writes('POST', CONSTRAINTS, async (ask) => {
      const input = readConstraintInput(await ask.body());
      const constraint = await source.edit(createConstraint(...where(ask), input));
      return { json: constraintResponse(ask.id('segmentID'), constraint) };
    }),
    writes('PUT', CONSTRAINT, async (ask) => {
      const input = { id: ask.id('constraintID'), ...readConstraintInput(await ask.body()) };
      const constraint = await source.edit(updateConstraint(...where(ask), input));
      return { json: constraintResponse(ask.id('segmentID'), constraint) };
    }),
    writes('DELETE', CONSTRAINT, async (ask) => {
      await source.edit(deleteConstraint(...where(ask), ask.id('constraintID')));
      return {};
    }),
    reads(DISTRIBUTIONS, (ask) => {
      const { id, distributions } = segmentOf(ask);
      return { json: distributions.map((distribution) => distributionResponse(id, distribution)) };
    }),
    writes('PUT', DISTRIBUTIONS, async (ask) => {
      const input = readDistributionsInput(await ask.body());
      const distributions = await source.edit(putDistributions(...where(ask), input));
      return { json: distributions.map((share) => distributionResponse(ask.id('segmentID'), share)) };
    }),
  ];
}
