package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// crictl knows what is asked of it: `images` and `ps [-a]`, each with `-o json`, and `rmi` with one image.
func crictl(args []string) error {
	remove := len(args) == 2 && args[0] == "rmi"
	if !remove && (len(args) < 3 || !slices.Equal(args[len(args)-2:], []string{"-o", "json"})) {
		return errors.New("this stand-in knows `crictl images -o json`, `crictl ps [-a] -o json` and `crictl rmi IMAGE`")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	link, err := grpc.NewClient("unix://"+containerdSock, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer link.Close()
	var answer proto.Message
	switch {
	case remove:
		request := &cri.RemoveImageRequest{Image: &cri.ImageSpec{Image: args[1]}}
		_, err = cri.NewImageServiceClient(link).RemoveImage(ctx, request)
		return err
	case args[0] == "images":
		answer, err = cri.NewImageServiceClient(link).ListImages(ctx, &cri.ListImagesRequest{})
	case args[0] == "ps":
		request := &cri.ListContainersRequest{}
		if !slices.Contains(args, "-a") {
			request.Filter = &cri.ContainerFilter{State: &cri.ContainerStateValue{State: cri.ContainerState_CONTAINER_RUNNING}}
		}
		answer, err = cri.NewRuntimeServiceClient(link).ListContainers(ctx, request)
	default:
		err = fmt.Errorf("this stand-in has no crictl %s", args[0])
	}
	if err != nil {
		return err
	}
	text, err := protojson.MarshalOptions{Multiline: true, EmitUnpopulated: true}.Marshal(answer)
	if err == nil {
		fmt.Println(string(text))
	}
	return err
}
