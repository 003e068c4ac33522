/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "api/kubernetes/kube_client.h"
#include "api/kubernetes/kube_transfer.h"
#include "base/strbuf.h"

struct kube_call {
	struct kube_transfer *transfer;
	struct strbuf body;
	kube_answer_fn done;
	void *ctx;
};

static int on_body(void *ctx, const char *data, size_t len, struct error *err)
{
	struct kube_call *call = ctx;
	int r;

	strbuf_add(&call->body, data, len);
	r = strbuf_error(&call->body);
	if (r == -E2BIG)
		return error_set(err, EFBIG, "the answer is longer than %zu bytes", call->body.max);
	return r < 0 ? error_set(err, ENOMEM, "no memory for an answer") : 0;
}

static void on_ready(void *ctx _unused_)
{
}

static void on_done(void *ctx, struct kube_answer *answer)
{
	struct kube_call *call = ctx;

	if (answer->status != 0) {
		answer->body = strbuf_str(&call->body);
		answer->len = call->body.len;
		if (kube_answer_outcome(answer) != KUBE_OK)
			kube_answer_explain(answer, kube_transfer_question(call->transfer));
	}
	kube_transfer_locate(call->transfer, answer);
	call->done(call->ctx, answer);
}

static const struct kube_transfer_ops ops = {
	.body = on_body,
	.ready = on_ready,
	.done = on_done,
};

int kube_call_start(struct kube_client *client, const struct kube_request *request,
		    kube_answer_fn done, void *ctx, struct kube_call **ret, struct error *err)
{
	_cleanup_(kube_call_freep) struct kube_call *call = calloc(1, sizeof(*call));
	int r;

	if (!call)
		return error_set(err, ENOMEM, "no memory for a request");
	call->body = STRBUF_INIT(request->body_max ? request->body_max : KUBE_BODY_MAX);
	call->done = done;
	call->ctx = ctx;
	r = kube_transfer_start(client, request, true, &ops, call, &call->transfer, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(call);
	return 0;
}

void kube_call_free(struct kube_call *call)
{
	if (!call)
		return;
	kube_transfer_free(call->transfer);
	strbuf_done(&call->body);
	free(call);
}
