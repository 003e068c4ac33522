/* SPDX-License-Identifier: Apache-2.0 */
static void bad(char *a)
{
        strcpy(a, "b");
	system (a); 
	/* café */
	/* TODO: later */
	int a_very_long_name = another_very_long_name + yet_another_very_long_name + the_last_one + 1;
	error_set(err, errno, "open (%s)", a);
	error_set(err, errno,
		  "open %s: %m", a);
}