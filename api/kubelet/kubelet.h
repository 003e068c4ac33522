/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kubelet's words: names, paths and limits of its APIs on the node.
 *
 * Source: k8s.io/kubelet pkg/apis/deviceplugin/v1beta1,
 * pkg/apis/pluginregistration/v1 and pkg/apis/podresources/v1
 */
#pragma once

#define KUBELET_DIR "/var/lib/kubelet"
#define KUBELET_DEVICE_PLUGIN_DIR "device-plugins" /* below the kubelet's directory */
#define KUBELET_PLUGIN_REGISTRY_DIR "plugins_registry"
#define KUBELET_POD_RESOURCES_DIR "pod-resources"
#define KUBELET_SOCKET "kubelet.sock"

#define KUBELET_DEVICE_PLUGIN_VERSION "v1beta1"
#define KUBELET_PLUGIN_TYPE "DevicePlugin"

#define KUBELET_METHOD_REGISTER "/v1beta1.Registration/Register"
#define KUBELET_METHOD_OPTIONS "/v1beta1.DevicePlugin/GetDevicePluginOptions"
#define KUBELET_METHOD_LIST_AND_WATCH "/v1beta1.DevicePlugin/ListAndWatch"
#define KUBELET_METHOD_PREFERRED "/v1beta1.DevicePlugin/GetPreferredAllocation"
#define KUBELET_METHOD_ALLOCATE "/v1beta1.DevicePlugin/Allocate"
#define KUBELET_METHOD_PRE_START "/v1beta1.DevicePlugin/PreStartContainer"
#define KUBELET_METHOD_GET_INFO "/pluginregistration.Registration/GetInfo"
#define KUBELET_METHOD_NOTIFY "/pluginregistration.Registration/NotifyRegistrationStatus"
#define KUBELET_METHOD_LIST_POD_RESOURCES "/v1.PodResourcesLister/List"
#define KUBELET_METHOD_ALLOCATABLE "/v1.PodResourcesLister/GetAllocatableResources"

/* grpc-go's default limit of a received message, which the kubelet leaves as it
 * is: a longer list of devices ends the stream and with it the resource. */
#define KUBELET_MESSAGE_MAX (4U * 1024 * 1024)

/* The kubelet dials back and asks for options within Register, for which it
 * takes up to 10 s, and newer ones inherit the caller's deadline. */
#define KUBELET_REGISTER_TIMEOUT_MS 15000
