/* SPDX-License-Identifier: Apache-2.0 */
/* strcpy(a, b) in a comment, TODO(the reason): and a reason */
static const char *text = "system(1)";
static void call(struct ops *ops)
{
	ops->system(1);
	my_strcpy(1);
}
