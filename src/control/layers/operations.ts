/** The operations on layers. */
import type { OperationTable } from '../operation-table.ts';
import { deleteLayerVersion } from './delete-layer-version.ts';
import { getLayerVersion, getLayerVersionByArn } from './get-layer-version.ts';
import {
  addLayerVersionPermission,
  getLayerVersionPolicy,
  removeLayerVersionPermission,
} from './layer-permissions.ts';
import { listLayerVersions, listLayers } from './list-layer-versions.ts';
import { publishLayerVersion } from './publish-layer-version.ts';

export const layerOperations = {
  AddLayerVersionPermission: addLayerVersionPermission,
  DeleteLayerVersion: deleteLayerVersion,
  GetLayerVersion: getLayerVersion,
  GetLayerVersionByArn: getLayerVersionByArn,
  GetLayerVersionPolicy: getLayerVersionPolicy,
  ListLayerVersions: listLayerVersions,
  ListLayers: listLayers,
  PublishLayerVersion: publishLayerVersion,
  RemoveLayerVersionPermission: removeLayerVersionPermission,
} satisfies OperationTable;
